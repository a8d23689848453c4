// libpq, and the two calls of Linux that a thread needs to wait for a socket and be woken.
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
