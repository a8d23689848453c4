// A stand-in for SignalWire that costs next to nothing, so that what is measured is the caller.
//
//   api [--latency MILLISECONDS]
//
// One thread, HTTP/1.1, kept connections, requests read to their last byte. The first line on stdout is
// `listening on http://127.0.0.1:PORT`. Each POST is answered as create_subscriber_token answers it, with one
// subscriber for each reference, after the latency. For whoever measures:
//
//   GET /await/N     answers once N POSTs were taken: their number, and when the first and the last came (ns of the wall clock)
//   GET /arrivals    one line for each POST whose job_title is `s` and digits: when it came, and that text
//   GET /record/N    from now on, keep the bodies of the next N POSTs
//   GET /bodies      those, a line each
//   GET /reset       counts from zero again, and forgets arrivals and bodies
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { most_connections = 1024, largest_request = 65536, token_length = 400, answer_room = 2048 };

struct connection {
    bool is_open;
    unsigned generation;
    size_t filled;
    long awaited;
    char buffer[largest_request + 1];
};

struct due {
    int64_t at;
    int fd;
    unsigned generation;
    uint64_t reference;
    struct due *next;
};

struct arrival {
    int64_t at;
    char mark[16];
};

static struct connection connections[most_connections];
static struct due *first_due, *last_due;
static struct arrival *arrivals;
static size_t arrival_count, arrival_room;
static char *bodies;
static size_t bodies_length, bodies_room;
static long to_record, taken;
static int64_t first_at, last_at, latency;
static int poller, timer;
static char token[token_length + 1];

static int64_t wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int64_t steady_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(70);
}

static void *grown(void *old, size_t *room, size_t needed, size_t size) {
    if (needed <= *room) return old;
    *room = needed * 2 + 1024;
    void *larger = realloc(old, *room * size);
    if (!larger) fail("realloc");
    return larger;
}

static void close_connection(int fd) {
    connections[fd].is_open = false;
    connections[fd].generation++;
    close(fd);
}

// Answers are far smaller than a socket's buffer, so one that isn't taken at once is a caller who is gone.
static void send_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent <= 0) return close_connection(fd);
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void send_text(int fd, const char *text, size_t length) {
    char head[128];
    int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\nconnection: close\r\n\r\n", length);
    send_all(fd, head, (size_t)size);
    if (connections[fd].is_open) send_all(fd, text, length);
    if (connections[fd].is_open) close_connection(fd);
}

static void answer_push(int fd, uint64_t reference) {
    char body[answer_room], answer[answer_room + 256];
    uint64_t mixed = reference * 0x9E3779B97F4A7C15ULL ^ reference >> 31;
    int size = snprintf(
        body, sizeof body,
        "{\"subscriber_id\":\"%08x-%04x-4%03x-8%03x-%012llx\",\"token\":\"%s\",\"refresh_token\":\"%s\"}",
        (unsigned)(reference >> 32), (unsigned)(reference >> 16 & 0xFFFF), (unsigned)(reference & 0xFFF),
        (unsigned)(mixed >> 48 & 0xFFF), (unsigned long long)(mixed & 0xFFFFFFFFFFFFULL), token, token);
    int whole = snprintf(
        answer, sizeof answer,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\nx-request-id: %ld\r\ncontent-length: "
        "%d\r\n\r\n%s",
        taken, size, body);
    send_all(fd, answer, (size_t)whole);
}

static void set_timer(int64_t at) {
    struct itimerspec when = {.it_value = {.tv_sec = at / 1000000000LL, .tv_nsec = at % 1000000000LL}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

// The latency is the same for all, so the first that came is the first that is due.
static void answer_later(int fd, uint64_t reference) {
    struct due *due = malloc(sizeof *due);
    if (!due) fail("malloc");
    *due = (struct due){steady_clock() + latency, fd, connections[fd].generation, reference, NULL};
    if (last_due) last_due->next = due;
    else set_timer((first_due = due)->at);
    last_due = due;
}

static void answer_due(void) {
    uint64_t expirations;
    if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) fail("read");
    int64_t now = steady_clock();
    while (first_due && first_due->at <= now) {
        struct due *due = first_due;
        first_due = due->next;
        if (!first_due) last_due = NULL;
        if (connections[due->fd].is_open && connections[due->fd].generation == due->generation)
            answer_push(due->fd, due->reference);
        free(due);
    }
    if (first_due) set_timer(first_due->at);
}

static void report(int fd) {
    char text[96];
    int size = snprintf(text, sizeof text, "%ld %lld %lld\n", taken, (long long)first_at, (long long)last_at);
    send_text(fd, text, (size_t)size);
}

static void report_to_waiting(void) {
    for (int fd = 0; fd < most_connections; fd++) {
        if (!connections[fd].is_open || !connections[fd].awaited || connections[fd].awaited > taken) continue;
        report(fd);
    }
}

static void report_arrivals(int fd) {
    char *text = malloc(arrival_count * 48 + 1);
    if (!text) fail("malloc");
    size_t length = 0;
    for (size_t i = 0; i < arrival_count; i++)
        length += (size_t)sprintf(text + length, "%lld %s\n", (long long)arrivals[i].at, arrivals[i].mark);
    send_text(fd, text, length);
    free(text);
}

static void reset(void) {
    taken = 0;
    first_at = last_at = 0;
    arrival_count = bodies_length = 0;
}

static void control(int fd, const char *path) {
    if (!strncmp(path, "/await/", 7)) {
        connections[fd].awaited = atol(path + 7);
        if (connections[fd].awaited <= taken) report(fd);
    } else if (!strncmp(path, "/record/", 8)) {
        to_record = atol(path + 8);
        send_text(fd, "", 0);
    } else if (!strncmp(path, "/arrivals", 9)) {
        report_arrivals(fd);
    } else if (!strncmp(path, "/bodies", 7)) {
        send_text(fd, bodies, bodies_length);
    } else {
        reset();
        send_text(fd, "", 0);
    }
}

static void note_arrival(const char *body, int64_t now) {
    const char *mark = strstr(body, "\"job_title\":\"s");
    if (!mark) return;
    mark += strlen("\"job_title\":\"");
    size_t length = strspn(mark + 1, "0123456789") + 1;
    if (length < 2 || length > 15 || mark[length] != '"') return;
    arrivals = grown(arrivals, &arrival_room, arrival_count + 1, sizeof *arrivals);
    struct arrival *arrival = &arrivals[arrival_count++];
    *arrival = (struct arrival){.at = now};
    memcpy(arrival->mark, mark, length);
}

static void record(const char *body, size_t length) {
    to_record--;
    bodies = grown(bodies, &bodies_room, bodies_length + length + 1, 1);
    memcpy(bodies + bodies_length, body, length);
    bodies[bodies_length + length] = '\n';
    bodies_length += length + 1;
}

// FNV-1a over the reference, so that each has its own subscriber.
static uint64_t reference_of(const char *body) {
    const char *text = strstr(body, "\"reference\":\"");
    uint64_t hash = 0xCBF29CE484222325ULL;
    if (!text) return hash;
    for (text += strlen("\"reference\":\""); *text && *text != '"'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001B3ULL;
    return hash;
}

static void push(int fd, char *body, size_t length) {
    int64_t now = wall_clock();
    char behind = body[length];
    body[length] = 0;
    taken++;
    if (!first_at) first_at = now;
    last_at = now;
    note_arrival(body, now);
    if (to_record > 0) record(body, length);
    uint64_t reference = reference_of(body);
    body[length] = behind;
    if (latency) answer_later(fd, reference);
    else answer_push(fd, reference);
    report_to_waiting();
}

// Takes every whole request that is there.
static void take(int fd) {
    struct connection *connection = &connections[fd];
    unsigned generation = connection->generation;
    for (;;) {
        connection->buffer[connection->filled] = 0;
        char *end = strstr(connection->buffer, "\r\n\r\n");
        if (!end) return;
        char *body = end + 4;
        char *field = strcasestr(connection->buffer, "\r\ncontent-length:");
        size_t length = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
        size_t whole = (size_t)(body - connection->buffer) + length;
        if (whole > largest_request) return close_connection(fd);
        if (connection->filled < whole) return;
        if (!strncmp(connection->buffer, "POST ", 5)) push(fd, body, length);
        else control(fd, strchr(connection->buffer, ' ') + 1);
        if (!connection->is_open || connection->generation != generation) return;
        memmove(connection->buffer, connection->buffer + whole, connection->filled - whole);
        connection->filled -= whole;
    }
}

static void receive(int fd) {
    struct connection *connection = &connections[fd];
    ssize_t count = recv(fd, connection->buffer + connection->filled, largest_request - connection->filled, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return close_connection(fd);
    connection->filled += (size_t)count;
    take(fd);
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void accept_one(int door) {
    int one = 1, fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= most_connections) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections[fd].is_open = true;
    connections[fd].filled = 0;
    connections[fd].awaited = 0;
    watch(fd);
}

static int open_door(void) {
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (door < 0 || bind(door, (struct sockaddr *)&address, size) < 0 || listen(door, 512) < 0) fail("listen");
    getsockname(door, (struct sockaddr *)&address, &size);
    printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return door;
}

int main(int count, char **arguments) {
    for (int i = 1; i + 1 < count; i += 2)
        if (!strcmp(arguments[i], "--latency")) latency = atoll(arguments[i + 1]) * 1000000LL;
    memset(token, 'x', token_length);
    poller = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int door = open_door();
    watch(door);
    watch(timer);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == door) accept_one(door);
            else if (fd == timer) answer_due();
            else if (connections[fd].is_open) receive(fd);
        }
    }
}
