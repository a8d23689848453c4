# shellcheck shell=bash
# Users a second, beside the plain loop of the same HTTP client. To be sourced by Tests/Benchmarks/run.

# agent_rate COUNT: users a second, from the commit of so many changes to the last one's request.
agent_rate() {
    local committed taken last
    ask /reset >/dev/null
    committed=$(change "$1")
    read -r taken _ last <<<"$(ask "/await/$1")"
    ((taken == $1)) || die 70 "$1 users changed, and $taken requests came."
    calculate "$1 / (($last - $committed) / 1e9)"
    await_idle
}

# plain_rate COUNT: the same bodies from the plain loop, from its first request to its last.
plain_rate() {
    local taken first last
    ask /reset >/dev/null
    "$built/PlainLoop" "http://127.0.0.1:$api_port/api/fabric/subscribers/tokens" "$scratch/bodies" 32 >/dev/null
    read -r taken first last <<<"$(ask "/await/$1")"
    calculate "$taken / (($last - $first) / 1e9)"
}

record_bodies() {
    ask "/record/$1" >/dev/null
    agent_rate "$1" >/dev/null
    ask /bodies >"$scratch/bodies"
    [[ $(wc -l <"$scratch/bodies") -eq $1 ]] || die 70 'The bodies were not recorded.'
}

# compare_rates COUNT: rounds of both, in turns; sets ours and plain.
compare_rates() {
    local round
    start_agent
    await_agents
    record_bodies "$1"
    : >"$scratch/ours"
    : >"$scratch/plain"
    for ((round = 1; round <= rounds; round++)); do
        if ((round % 2)); then agent_rate "$1" >>"$scratch/ours"; fi
        plain_rate "$1" >>"$scratch/plain"
        if ((round % 2 == 0)); then agent_rate "$1" >>"$scratch/ours"; fi
    done
    ours=$(median <"$scratch/ours")
    plain=$(median <"$scratch/plain")
    stop_agents
}

measure_throughput() {
    begin_with "$changes"
    compare_rates "$changes"
    row "users/s, $changes at once, beside the plain loop" "$(calculate "$ours" %.0f)" "$(calculate "$plain" %.0f)" \
        "$(calculate "$ours / $plain" %.2f)" '≥ 0.8'
}

# 32 in flight, each for 50 ms, are 640 a second.
measure_far() {
    local count=$((changes < 6400 ? changes : 6400))
    begin_with "$count"
    start_api 50
    compare_rates "$count"
    row 'users/s at 50 ms, 32 in flight, beside the ideal' "$(calculate "$ours" %.0f)" 640 \
        "$(calculate "$ours / 640" %.2f)" '≥ 0.97'
    row '    the plain loop there' "$(calculate "$plain" %.0f)" 640 "$(calculate "$plain / 640" %.2f)" ''
    start_api
}
