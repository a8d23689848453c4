# shellcheck shell=bash
# Ever larger tables. To be sourced by Tests/Benchmarks/run.

# cost_of USERS: µs of CPU, of agent and PostgreSQL together, for each user that `resync --all` creates.
cost_of() {
    local before watcher
    begin_unknown "$1"
    start_agent
    await_swept
    peak_anonymous "${agents[0]}" "$scratch/peak" &
    watcher=$!
    before=$(cpu_seconds)
    make_known "$1"
    cost=$(calculate "($(cpu_seconds) - $before) / $1 * 1e6")
    resident=$(memory VmHWM "${agents[0]}")
    stop_agents
    wait "$watcher" || true
}

measure_growth() {
    local size smallest='' cost resident hello_resident hello_anonymous
    weigh_hello
    for size in "${sizes[@]}"; do
        cost_of "$size"
        smallest=${smallest:-$cost}
        row "µs of CPU a user, $size users" "$(calculate "$cost" %.0f)" "$(calculate "$smallest" %.0f)" \
            "$(calculate "$cost / $smallest" %.2f)" '≤ 1.15'
    done
    memory_row "most of a resync of $size" 60 "$resident" "$(cat "$scratch/peak")"
}

# Leaves a table of the largest size. That everybody is synced makes no difference to status and sweep.
ensure_largest() {
    ((known == ${sizes[-1]})) || begin_with "${sizes[-1]}"
    sql <<<'VACUUM ANALYZE subscriber_sync.subscriber'
}

# status_row WHEN
status_row() {
    local round began
    : >"$scratch/ours"
    : >"$scratch/plain"
    for ((round = 0; round < rounds * 2 + 1; round++)); do
        began=${EPOCHREALTIME/[^0-9]/}
        sync status >/dev/null || (($? == 75))
        calculate "(${EPOCHREALTIME/[^0-9]/} - $began) / 1000" %.1f >>"$scratch/ours"
        milliseconds 'SELECT * FROM subscriber_sync.status;' >>"$scratch/plain"
    done
    row "ms of status at $known users, $1, beside its view" "$(median <"$scratch/ours" | xargs printf %.0f)" \
        "$(median <"$scratch/plain" | xargs printf %.0f)" '' '< 50 ms'
}

# It counts what was created within a day and sent within a minute: here all of it, and then, as if a day had passed, none.
measure_status() {
    ensure_largest
    status_row 'all new'
    sql <<'SQL'
SET session_replication_role = replica;
UPDATE subscriber_sync.subscriber SET admitted_at = admitted_at - interval '1 day';
UPDATE subscriber_sync.log SET at = at - interval '1 day';
VACUUM ANALYZE subscriber_sync.subscriber, subscriber_sync.log;
SQL
    status_row 'a day later'
}

request_sweep() { sql <<<"INSERT INTO subscriber_sync.sweep_request (reason) VALUES ('benchmark')"; }

# await_sweep SECONDS: until one has ended after that time.
await_sweep() {
    await "SELECT reason IS NULL AND finished_at > to_timestamp($1) FROM subscriber_sync.sweep WHERE kind = 'full'"
}

# write_times FILE: appends to FILE-PERCENT what so many of the writes take at most, µs, for each of $percents. They are of
# unmapped columns: nobody is pushed for it.
write_times() {
    cat >"$scratch/writes.sql" <<SQL
\\set id random(1, $known)
UPDATE users SET sign_in_count = sign_in_count + 1 WHERE id = :id;
SQL
    rm -f "$scratch"/written*
    "${clean[@]}" "$postgres_home/pgbench" -n -M prepared -c 2 -j 1 -R 300 -T 8 -l --log-prefix="$scratch/written" \
        -f "$scratch/writes.sql" </dev/null >/dev/null 2>&1
    awk '{ print $3 }' "$scratch"/written* >"$scratch/times"
    for percent in "${percents[@]}"; do
        percentile "$percent" "$scratch/times" >>"$1-$percent"
    done
}

measure_sweep() {
    local began lines round
    ensure_largest
    sql <<<"ALTER DATABASE app SET log_statement = 'all'; ALTER SYSTEM SET log_line_prefix = '%a|';
        SELECT pg_reload_conf()" >/dev/null
    start_agent
    await_agents
    lines=$(wc -l <"$scratch/postgres/log")
    began=$EPOCHREALTIME
    request_sweep
    await_sweep "$began"
    lines=$(tail -n "+$((lines + 1))" "$scratch/postgres/log" \
        | grep -cE '^subscriber-sync[^|]*\|LOG:  (execute|statement)')
    row "rows/s of a sweep of $known users, unthrottled" \
        "$(value "SELECT round($known / extract(epoch FROM finished_at - started_at))
            FROM subscriber_sync.sweep WHERE kind = 'full'")" '' '' ''
    row '    statements of the agent meanwhile' "$lines" '' '' ''
    sql <<<'ALTER DATABASE app RESET log_statement'
    stop_agents
    measure_sweep_beside
}

# At its default pace.
measure_sweep_beside() {
    local round percent percents=(50 95 99)
    sed -i 's/sweep_rate: 1000000/sweep_rate: 10000/' "$scratch/subscriber-sync.yaml"
    rm -f "$scratch"/ours-* "$scratch"/plain-*
    for ((round = 1; round <= rounds; round++)); do
        start_agent
        await_agents
        write_times "$scratch/plain"
        request_sweep
        await "SELECT reason IS NOT NULL FROM subscriber_sync.sweep WHERE kind = 'full'"
        write_times "$scratch/ours"
        stop_agents
        sql <<<"UPDATE subscriber_sync.sweep SET reason = NULL, leg = NULL, started_at = NULL, reached = NULL"
    done
    write_settings
    for percent in "${percents[@]}"; do
        ours=$(median <"$scratch/ours-$percent")
        plain=$(median <"$scratch/plain-$percent")
        row "µs of a write while 10,000 rows/s are swept, p$percent" "$ours" "$plain" \
            "$(calculate "$ours / $plain" %.2f)" '≤ 1.05'
    done
}
