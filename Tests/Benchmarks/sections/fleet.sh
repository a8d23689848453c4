# shellcheck shell=bash
# Several agents beside one. To be sourced by Tests/Benchmarks/run.

# fleet_rate AGENTS: users a second at 50 ms, as many as keep each agent busy for some seconds.
fleet_rate() {
    local count=$(($1 * per_agent)) agent
    for ((agent = 0; agent < $1; agent++)); do start_agent; done
    await_agents
    agent_rate "$count"
    # Those who stopped are no agents any more.
    stop_agents
    sql <<<'DELETE FROM subscriber_sync.agent'
}

measure_fleet() {
    local per_agent=$((changes / 4)) round number one
    begin_with "$((per_agent * 4))"
    start_api 50
    for number in 1 2 4; do : >"$scratch/fleet-$number"; done
    for ((round = 1; round <= rounds; round++)); do
        for number in 1 2 4; do fleet_rate "$number" >>"$scratch/fleet-$number"; done
    done
    one=$(median <"$scratch/fleet-1")
    for number in 2 4; do
        ours=$(median <"$scratch/fleet-$number")
        row "users/s at 50 ms, $number agents beside one" "$(calculate "$ours" %.0f)" "$(calculate "$one" %.0f)" \
            "$(calculate "$ours / $one" %.2f)" "≥ $( ((number == 2)) && echo 1.95 || echo 3.8)"
    done
    start_api
}
