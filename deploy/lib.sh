# shellcheck shell=bash
# What Tests/run and deploy/quickstart have in common. To be sourced, with `set -euo pipefail` on.

# --- Words -------------------------------------------------------------------------------------

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }

# die CODE SENTENCE [HINT]: what failed, what to do, and a code of sysexits.h.
die() {
    printf '%s%s%s\n' "$red" "$2" "$plain" >&2
    [[ -z ${3:-} ]] || printf 'hint: %s\n' "$3" >&2
    exit "$1"
}

# --- What must be installed --------------------------------------------------------------------

# The folder of PostgreSQL's server programs, or nothing. Debian keeps them out of PATH.
postgres_bin() {
    local found
    found=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
    [[ -n $found ]] || found=$(command -v initdb || true)
    [[ -z $found ]] || dirname "$found"
}

# missing_packages [PACKAGE…]: those that this machine lacks, one a line. What is named is asked for besides what
# everybody needs, and is there if there is a program of that name; daemons may be where only administrators look.
missing_packages() {
    local package
    command -v git >/dev/null || say git
    [[ -e /etc/ssl/certs/ca-certificates.crt ]] || say ca-certificates
    command -v pkg-config >/dev/null || say pkg-config
    pkg-config --exists libpq 2>/dev/null || say libpq-dev
    pkg-config --exists yaml-0.1 2>/dev/null || say libyaml-dev
    [[ -n $(postgres_bin) ]] && command -v psql >/dev/null || say postgresql
    for package; do
        (PATH=$PATH:/usr/sbin && command -v "$package" >/dev/null) || say "$package"
    done
}

# install_missing [PACKAGE…]: says what is missing, also of the packages named, and installs it.
install_missing() {
    local packages as_root=()
    command -v swift >/dev/null \
        || die 69 'There is no swift in PATH.' 'Swift 6.2 or newer is needed: https://www.swift.org/install/linux/'
    mapfile -t packages < <(missing_packages "$@")
    ((${#packages[@]})) || return 0
    say "Missing on this machine: ${packages[*]}"
    command -v apt-get >/dev/null \
        || die 69 'There is no apt-get to install it with.' "Install it by hand: PostgreSQL (server, client, libpq with headers), libyaml with headers, pkg-config${*:+, $*}."
    if ((EUID != 0)); then
        command -v sudo >/dev/null \
            || die 69 'Installing needs root, and there is no sudo.' "As root: apt-get install ${packages[*]}"
        as_root=(sudo)
    fi
    say "Installing with apt-get${as_root:+, as root by sudo}: ${packages[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null \
        || die 69 'The package lists could not be fetched.' 'Look at the network and at /etc/apt, then try again.'
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y install --no-install-recommends "${packages[@]}" </dev/null \
        || die 69 'apt-get could not install what is missing.' "By hand: apt-get install ${packages[*]}"
    hash -r
    mapfile -t packages < <(missing_packages "$@")
    ((${#packages[@]} == 0)) || die 69 "Still missing after the installation: ${packages[*]}"
}

# --- A throwaway PostgreSQL --------------------------------------------------------------------

# A folder that goes away at the end. Short, because the path of a unix socket has room for 107 bytes.
make_scratch() {
    local parent=${TMPDIR:-/tmp}
    ((${#parent} <= 60)) || parent=/tmp
    scratch=$(mktemp -d "$parent/subscriber-sync.XXXXXX")
    chmod 755 "$scratch"
}

# Runs PostgreSQL's programs as somebody else than root, which the server refuses to be.
as_postgres() {
    if ((EUID != 0)); then
        (cd / && "$@")
    elif command -v runuser >/dev/null; then
        (cd / && runuser -u "$postgres_user" -- "$@")
    else
        (cd / && su -s /bin/sh "$postgres_user" -c 'exec "$0" "$@"' -- "$@")
    fi
}

# A port on 127.0.0.1 that nobody listens on now, below those that the kernel hands out by itself.
free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { say "$port"; return 0; }
    done
    die 69 'No free TCP port was found on 127.0.0.1.'
}

# start_postgres USER DATABASE: sets database_url. Needs $scratch; listens on loopback and on a socket in there.
start_postgres() {
    local owner=$1 database=$2 secret
    postgres_home=$(postgres_bin)
    postgres_user=$(id -un)
    if ((EUID == 0)); then
        postgres_user=nobody
        id -u postgres >/dev/null 2>&1 && postgres_user=postgres
    fi
    # Others on this machine can reach a loopback port too, so it has a password.
    secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    mkdir "$scratch/postgres" "$scratch/socket"
    (umask 077 && printf '%s\n' "$secret" >"$scratch/postgres/password")
    ((EUID != 0)) || chown -R "$postgres_user" "$scratch/postgres" "$scratch/socket"
    as_postgres "$postgres_home/initdb" --pgdata="$scratch/postgres/data" --username="$owner" --encoding=UTF8 \
        --locale=C --auth=scram-sha-256 --pwfile="$scratch/postgres/password" --no-sync \
        >"$scratch/initdb.log" 2>&1 || { cat "$scratch/initdb.log" >&2; die 69 'initdb failed.'; }
    listen_somewhere
    (umask 077 && printf '127.0.0.1:%s:*:%s:%s\n' "$postgres_port" "$owner" "$secret" >"$scratch/pgpass")
    local server="postgresql://$owner@127.0.0.1:$postgres_port"
    psql -X -q -d "$server/postgres?passfile=$scratch/pgpass" -c "CREATE DATABASE $database" </dev/null
    database_url="$server/$database?passfile=$scratch/pgpass"
}

# Somebody may take the port between the look and the start, so it is tried a few times.
listen_somewhere() {
    local data=$scratch/postgres/data
    for _ in {1..5}; do
        postgres_port=$(free_port)
        cat >>"$data/postgresql.conf" <<-CONF
			port = $postgres_port
			listen_addresses = '127.0.0.1'
			unix_socket_directories = '$scratch/socket'
			fsync = off
			max_connections = 40
		CONF
        if as_postgres "$postgres_home/pg_ctl" start --pgdata="$data" --wait --silent \
            --log="$scratch/postgres/log" </dev/null >/dev/null 2>&1; then
            postgres_data=$data
            return 0
        fi
    done
    tail -n 20 "$scratch/postgres/log" >&2
    die 69 'PostgreSQL did not start.'
}

# pg_ctl ends the process whose id stands in the data folder, and no other.
stop_postgres() {
    [[ -n ${postgres_data:-} ]] || return 0
    as_postgres "$postgres_home/pg_ctl" stop --pgdata="$postgres_data" --mode=fast --wait --silent >/dev/null 2>&1 \
        || as_postgres "$postgres_home/pg_ctl" stop --pgdata="$postgres_data" --mode=immediate --silent >/dev/null 2>&1 \
        || true
    postgres_data=''
}

# --- Processes of ours -------------------------------------------------------------------------

# stop_process PID: asks, waits up to ten seconds, then insists.
stop_process() {
    [[ -n ${1:-} ]] || return 0
    kill -TERM "$1" 2>/dev/null || return 0
    for _ in {1..100}; do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
