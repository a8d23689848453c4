# shellcheck shell=bash
# From the commit to the request. To be sourced by Tests/Benchmarks/run.
#
# Both sides run on the last core, one at a time, and everything else on the first: on virtual cores, what is measured
# otherwise is how long one takes to wake another.

# delays RATE: microseconds from each COMMIT's return to its request, of changes for five seconds.
delays() {
    ask /reset >/dev/null
    taskset -c 0 "${clean[@]}" "$scratch/commit" "$1" 5 "$known" >"$scratch/committed"
    sleep 0.5
    ask /arrivals >"$scratch/arrived"
    # Of several changes of one user the last one's request counts; two of one mark can't be.
    awk 'NR == FNR { if (!($2 in at)) at[$2] = $1; next } $2 in at { printf "%.1f\n", (at[$2] - $1) / 1000 }' \
        "$scratch/arrived" "$scratch/committed"
}

# percentile PERCENT FILE
percentile() { sort -g "$2" | awk -v percent="$1" '{ x[NR] = $1 } END { print x[int((NR - 1) * percent / 100) + 1] }'; }

pinned_delays() {
    pinned="taskset -c $last_core" start_agent
    await_agents
    sleep 1
    delays "$1" >>"$scratch/delays-agent-$1"
    stop_agents
}

minimal_delays() {
    sql <<'SQL'
CREATE OR REPLACE FUNCTION bench() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bench', NEW.email || '|' || NEW.title);
    RETURN NULL;
END $$;
CREATE TRIGGER bench AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION bench();
ALTER TABLE users DISABLE TRIGGER USER;
ALTER TABLE users ENABLE TRIGGER bench;
SQL
    taskset -c "$last_core" "${clean[@]}" "$scratch/listen" "$api_port" >"$scratch/listen.out" &
    beside=$!
    until grep -q listening "$scratch/listen.out"; do sleep 0.05; done
    sleep 1
    delays "$1" >>"$scratch/delays-c-$1"
    stop_process "$beside"
    beside=''
    sql <<<'DROP TRIGGER bench ON users; ALTER TABLE users ENABLE TRIGGER USER;'
}

measure_wake() {
    local last_core=$(($(nproc) - 1)) rate round percent goal
    begin_with 1000
    taskset -apc 0 "$(head -n 1 "$postgres_data/postmaster.pid")" >/dev/null
    taskset -apc 0 "$api" >/dev/null
    rm -f "$scratch"/delays-*
    for ((round = 1; round <= rounds; round++)); do
        for rate in 50 200; do
            minimal_delays "$rate"
            pinned_delays "$rate"
        done
    done
    for rate in 50 200; do
        for percent in 50 99; do
            ours=$(percentile "$percent" "$scratch/delays-agent-$rate")
            plain=$(percentile "$percent" "$scratch/delays-c-$rate")
            goal=$( ((percent == 50)) && echo 1.5 || echo 2)
            row "µs from commit to request, p$percent, $rate/s, beside C" "$(calculate "$ours" %.0f)" \
                "$(calculate "$plain" %.0f)" "$(calculate "$ours / $plain" %.2f)" "≤ $goal"
        done
    done
    taskset -apc "0-$last_core" "$(head -n 1 "$postgres_data/postmaster.pid")" >/dev/null
    start_api
}
