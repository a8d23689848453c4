// How long one thread takes to wake another that sleeps: half of a round trip through two pipes, in µs.
//
//   rouse CORE CORE
//
// Each call of a database or an API has several of these in it, and on virtual machines they are what it mostly costs.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { rounds = 5000 };

static int there[2], back[2];

static void stay_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *answer(void *core) {
    char byte;
    stay_on(*(int *)core);
    while (read(there[0], &byte, 1) == 1)
        if (write(back[1], &byte, 1) != 1) break;
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 3 || pipe(there) || pipe(back)) return 64;
    int core = atoi(arguments[2]);
    pthread_t other;
    pthread_create(&other, NULL, answer, &core);
    stay_on(atoi(arguments[1]));
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int i = 0; i < rounds; i++) {
        char byte = 0;
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) return 70;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    printf("%.1f\n", seconds / rounds / 2 * 1e6);
}
