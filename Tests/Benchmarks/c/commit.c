// Commits changes of single users at a steady rate, and tells when.
//
//   commit RATE SECONDS USERS          the database by PG… variables
//
// User after user gets the job title `s` and a number. Printed at the end: when each COMMIT had returned (ns of the wall
// clock), and that text. The gaps are between half and one and a half times the mean, so that no clock beats with them.
#define _GNU_SOURCE
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t now_on(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void run(PGconn *database, const char *sql) {
    PGresult *result = PQexec(database, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fputs(PQerrorMessage(database), stderr);
        exit(70);
    }
    PQclear(result);
}

static void sleep_until(int64_t at) {
    struct timespec when = {.tv_sec = at / 1000000000LL, .tv_nsec = at % 1000000000LL};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL)) {}
}

int main(int count, char **arguments) {
    if (count != 4) return 64;
    double rate = atof(arguments[1]);
    long changes = (long)(rate * atof(arguments[2])), users = atol(arguments[3]);
    static unsigned long round;
    round = (unsigned long)now_on(CLOCK_REALTIME) / 1000000 % 100000;
    int64_t *committed = calloc((size_t)changes, sizeof *committed);
    PGconn *database = PQconnectdb("");
    if (!committed || PQstatus(database) != CONNECTION_OK) return 69;
    srand48(42);
    int64_t at = now_on(CLOCK_MONOTONIC);
    for (long i = 0; i < changes; i++) {
        char sql[160];
        at += (int64_t)(1e9 / rate * (0.5 + drand48()));
        sleep_until(at);
        snprintf(sql, sizeof sql, "UPDATE users SET title = 's%05lu%07ld' WHERE id = %ld", round, i, i % users + 1);
        run(database, "BEGIN");
        run(database, sql);
        run(database, "COMMIT");
        committed[i] = now_on(CLOCK_REALTIME);
    }
    for (long i = 0; i < changes; i++) printf("%lld s%05lu%07ld\n", (long long)committed[i], round, i);
    PQfinish(database);
}
