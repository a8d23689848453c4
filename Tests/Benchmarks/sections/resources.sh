# shellcheck shell=bash
# What a user, a start and a process cost. To be sourced by Tests/Benchmarks/run.

measure_size() {
    install -s "$built/Hello" "$scratch/hello"
    ours=$(stat -c %s "$program")
    plain=$(stat -c %s "$scratch/hello")
    row 'MB, static and stripped, beside a hello-world' "$(calculate "$ours / 1e6" %.1f)" \
        "$(calculate "$plain / 1e6" %.1f)" "$(calculate "$ours / $plain" %.2f)" '< 40 MB'
}

# start_hello: waits until it has answered itself, and prints how many ms that took.
start_hello() {
    local began=${EPOCHREALTIME/[^0-9]/}
    : >"$scratch/hello.out"
    "${clean[@]}" stdbuf -oL "$built/Hello" </dev/null >"$scratch/hello.out" 2>/dev/null &
    beside=$!
    until grep -q answered "$scratch/hello.out"; do sleep 0.002; done
    hello_ms=$(calculate "(${EPOCHREALTIME/[^0-9]/} - $began) / 1000")
}

stop_hello() {
    stop_process "$beside"
    beside=''
}

# One user is due already. What is counted ends with the request, a little after the claim.
measure_start() {
    local round began first
    begin_with 100
    : >"$scratch/ours"
    : >"$scratch/plain"
    for ((round = 0; round < rounds * 3; round++)); do
        change 1 >/dev/null
        ask /reset >/dev/null
        began=${EPOCHREALTIME/[^0-9]/}
        start_agent
        read -r _ first _ <<<"$(ask /await/1)"
        calculate "($first / 1000 - $began) / 1000" %.1f >>"$scratch/ours"
        await_idle
        stop_agents
        start_hello
        say "$hello_ms" >>"$scratch/plain"
        stop_hello
    done
    ours=$(median <"$scratch/ours")
    plain=$(median <"$scratch/plain")
    row 'ms from start to first request, beside hello' "$(calculate "$ours" %.0f)" "$(calculate "$plain" %.0f)" \
        "$(calculate "$ours / $plain" %.2f)" '< 200 ms'
}

# What each part costs: medians, each of a thousand calls or statements.
measure_parts() {
    "${clean[@]}" "$built/Parts" --quiet true </dev/null >"$scratch/parts" 2>&1 \
        || { tail -n 20 "$scratch/parts" >&2; die 70 'The microbenchmarks failed.'; }
    awk '
        /^Debug results for / { name = $0; sub(/^Debug results for /, "", name); sub(/:$/, "", name) }
        /^Time \(wall clock\)/ { counts = 1 }
        counts && $2 == "0.500000000000" { print $1 / 1e6 "\t" name; counts = 0 }
    ' "$scratch/parts" | while IFS=$'\t' read -r ours name; do
        row "µs: $name" "$(calculate "$ours" %.2f)" '' '' ''
    done
}

measure_trips() {
    local before wal
    begin_with "$changes"
    sql <<<"ALTER DATABASE app SET log_statement = 'all'; ALTER SYSTEM SET log_line_prefix = '%a|';
        SELECT pg_reload_conf()" >/dev/null
    change "$changes" >/dev/null
    before=$(wc -l <"$scratch/postgres/log")
    wal=$(value 'SELECT pg_current_wal_insert_lsn()')
    start_agent --until-idle
    wait "${agents[0]}" || die 70 'The agent failed.'
    agents=()
    wal=$(value "SELECT pg_current_wal_insert_lsn() - '$wal'")
    before=$(tail -n "+$((before + 1))" "$scratch/postgres/log" | grep -cE '^subscriber-sync[^|]*\|LOG:  (execute|statement)')
    sql <<<'ALTER DATABASE app RESET log_statement'
    row "round trips a user, $changes at once" "$(calculate "$before / $changes" %.3f)" '' '' '< 0.1'
    row 'bytes of WAL a user' "$(calculate "$wal / $changes" %.0f)" '' '' 'falling'
}

# peak_anonymous PID FILE: the most MB that are the process's own, as far as ten looks a second show it.
peak_anonymous() {
    local now peak=0
    while now=$(memory RssAnon "$1" 2>/dev/null) && [[ -n $now ]]; do
        [[ $(calculate "$now > $peak") == 0 ]] || { peak=$now; say "$peak" >"$2"; }
        sleep 0.1
    done
}

# memory_row FIGURE GOAL RESIDENT ANONYMOUS
memory_row() {
    row "MB resident, $1" "$3" "$hello_resident" "$(calculate "$3 / $hello_resident" %.2f)" "≤ $2 MB"
    row '    of those anonymous' "$4" "$hello_anonymous" "$(calculate "$4 / $hello_anonymous" %.2f)" ''
}

weigh_hello() {
    start_hello
    sleep 1
    hello_resident=$(memory VmHWM "$beside")
    hello_anonymous=$(memory RssAnon "$beside")
    stop_hello
}

measure_memory() {
    local hello_resident hello_anonymous watcher
    begin_with "$changes"
    weigh_hello
    start_agent
    await_agents
    sleep 3
    memory_row "idle, $changes users, beside hello" 45 "$(memory VmRSS "${agents[0]}")" "$(memory RssAnon "${agents[0]}")"
    peak_anonymous "${agents[0]}" "$scratch/peak" &
    watcher=$!
    agent_rate "$changes" >/dev/null
    memory_row "most of a burst of $changes" 60 "$(memory VmHWM "${agents[0]}")" "$(cat "$scratch/peak")"
    stop_agents
    wait "$watcher" || true
}
