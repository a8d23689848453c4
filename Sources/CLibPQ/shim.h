// libpq, and what Linux has for a thread that waits for a socket and can be woken.
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

// A descriptor that becomes readable when somebody writes to it: never inherited, never blocking.
static inline int wake_up_descriptor(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

// A thread whose write to a closed socket must be an error, not the end of the process.
static inline void ignore_broken_pipes_in_this_thread(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}
