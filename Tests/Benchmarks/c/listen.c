// The least that can be between a commit and a request: libpq's LISTEN, then one POST on an open connection.
//
//   listen PORT          the database by PG… variables
//
// It keeps nothing and repeats nothing. A notification's text is a reference and a job title, with a bar between.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(70);
}

static int connected(int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((unsigned short)port)};
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("no API");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void post(int fd, char *text) {
    char body[1024], request[2048], answer[8192];
    char *bar = strchr(text, '|');
    if (!bar) return;
    *bar = 0;
    int length = snprintf(body, sizeof body, "{\"reference\":\"%s\",\"job_title\":\"%s\"}", text, bar + 1);
    int size = snprintf(
        request, sizeof request,
        "POST /api/fabric/subscribers/tokens HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        "content-length: %d\r\n\r\n%s",
        length, body);
    if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size) fail("the API is gone");
    size_t filled = 0, whole = 0;
    while (!whole || filled < whole) {
        ssize_t count = recv(fd, answer + filled, sizeof answer - 1 - filled, 0);
        if (count <= 0) fail("the API is gone");
        filled += (size_t)count;
        answer[filled] = 0;
        char *end = strstr(answer, "\r\n\r\n"), *field = strcasestr(answer, "content-length:");
        if (end && field) whole = (size_t)(end + 4 - answer) + strtoul(field + 15, NULL, 10);
    }
}

int main(int count, char **arguments) {
    if (count != 2) fail("usage: listen PORT");
    PGconn *database = PQconnectdb("");
    if (PQstatus(database) != CONNECTION_OK) fail(PQerrorMessage(database));
    PQclear(PQexec(database, "LISTEN bench"));
    int fd = connected(atoi(arguments[1]));
    printf("listening\n");
    fflush(stdout);
    for (;;) {
        PGnotify *notification;
        while ((notification = PQnotifies(database))) {
            post(fd, notification->extra);
            PQfreemem(notification);
        }
        struct pollfd socket = {.fd = PQsocket(database), .events = POLLIN};
        poll(&socket, 1, -1);
        if (!PQconsumeInput(database)) fail(PQerrorMessage(database));
    }
}
