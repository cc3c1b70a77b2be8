/* A TFTP server that does little beside sending and receiving, as fast as C can do it here.

   It is what the product is measured against: one thread, a socket for each transfer, a blocking
   recv while there is one client and epoll for many. Blocks are read between their headers
   (preadv), and a window leaves in one system call for each 64 blocks (UDP_SEGMENT); a window
   that arrives is taken in one (UDP_GRO) and stored in one (writev).
   RFC 1350, 2347, 2348, 7440; after a silence it sends again, and that is all. Linux only.

   usage: reference HOST PORT ROOT */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { MOST_SEGMENTS = 64, MOST_OCTETS = 65507, PIECES = 1024, BUFFER = 1 << 17, QUEUE = 4 << 20 };
enum { MOST_TRANSFERS = 4096, EVENTS = 256, TICK_MS = 20, SWEEP_MS = 100, SILENCE_MS = 1000 };
/* Alone, a transfer looks for another request after so many datagrams. */
enum { TRIES = 5, LOOK_EVERY = 64 };

struct transfer {
    int fd, file, is_write, is_polled, place, quiet_ms, tries;
    uint32_t blksize, windowsize;
    /* Of a read: the last block, and what was acknowledged and sent.
       Of a write: what arrived is `acked`, and what of it the client knows is `sent`. */
    uint64_t last, acked, sent;
};

static struct sockaddr_in here;
static const char *root;
static int listening, polled;
static struct transfer *transfers[MOST_TRANSFERS];
static int live;
static uint8_t buffer[BUFFER];
static struct iovec pieces[PIECES];

static void die(const char *what) {
    perror(what);
    exit(2);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static uint16_t block_of(const uint8_t *packet) { return packet[2] << 8 | packet[3]; }

/* --- Sending ---------------------------------------------------------------------------------- */

/* Frames the blocks `first` to `last`. Returns the octets of all their datagrams. */
static size_t frame(struct transfer *t, uint64_t first, uint64_t last) {
    uint32_t segment = t->blksize + 4;
    int count = (int)(last - first + 1);
    for (int i = 0; i < count; i++) {
        uint8_t *at = buffer + (size_t)i * segment;
        uint64_t block = first + i;
        at[0] = 0, at[1] = 3, at[2] = block >> 8 & 255, at[3] = block & 255;
        pieces[i] = (struct iovec){at + 4, t->blksize};
    }
    ssize_t octets = preadv(t->file, pieces, count, (off_t)((first - 1) * t->blksize));
    return octets < 0 ? 0 : (size_t)octets + 4 * (size_t)count;
}

static void send_window(struct transfer *t) {
    uint32_t segment = t->blksize + 4;
    uint64_t most = MOST_OCTETS / segment < MOST_SEGMENTS ? MOST_OCTETS / segment : MOST_SEGMENTS;
    for (uint64_t first = t->acked + 1, until; first <= t->sent; first = until + 1) {
        until = t->sent - first < most ? t->sent : first + most - 1;
        if (send(t->fd, buffer, frame(t, first, until), 0) < 0)
            return;
    }
}

static int take_ack(struct transfer *t) {
    uint16_t ahead = (uint16_t)(block_of(buffer) - t->acked);
    if (ahead > t->sent - t->acked || (!ahead && t->sent))
        return 0;
    t->acked += ahead;
    if (t->acked == t->last)
        return 1;
    t->sent = t->acked + t->windowsize < t->last ? t->acked + t->windowsize : t->last;
    send_window(t);
    return 0;
}

/* --- Receiving -------------------------------------------------------------------------------- */

static void send_ack(struct transfer *t) {
    uint8_t ack[4] = {0, 4, t->acked >> 8 & 255, t->acked & 255};
    t->sent = t->acked;
    send(t->fd, ack, sizeof ack, 0);
}

/* The buffer may hold many datagrams, all of them but the last of the same size. */
static int take_data(struct transfer *t, size_t length) {
    size_t segment = t->blksize + 4, size = t->blksize;
    int count = 0;
    for (size_t at = 0; at + 4 <= length && count < PIECES; at += segment) {
        if (block_of(buffer + at) != (uint16_t)(t->acked + 1))
            break;
        size = (length - at < segment ? length - at : segment) - 4;
        pieces[count++] = (struct iovec){buffer + at + 4, size};
        t->acked++;
    }
    if (count && writev(t->file, pieces, count) < 0)
        die("writev");
    if (size < t->blksize || t->acked - t->sent >= t->windowsize)
        send_ack(t);
    return size < t->blksize;
}

/* --- One transfer ----------------------------------------------------------------------------- */

/* What recv returned, or what it failed with. Returns 1 when the transfer is over. */
static int take(struct transfer *t, ssize_t length, int waited_ms) {
    if (length >= 4 && buffer[1] == (t->is_write ? 3 : 4)) {
        t->quiet_ms = t->tries = 0;
        return t->is_write ? take_data(t, (size_t)length) : take_ack(t);
    }
    if (length >= 0 || errno != EAGAIN)
        return 1;
    t->quiet_ms += waited_ms;
    if (t->quiet_ms < SILENCE_MS)
        return 0;
    t->quiet_ms = 0;
    if (t->is_write)
        send_ack(t);
    else
        send_window(t);
    return ++t->tries >= TRIES;
}

static void poll_too(struct transfer *t) {
    struct epoll_event event = {EPOLLIN, {.ptr = t}};
    if (!t->is_polled && epoll_ctl(polled, EPOLL_CTL_ADD, t->fd, &event))
        die("epoll_ctl");
    t->is_polled = 1;
}

static void end(struct transfer *t) {
    close(t->fd);
    close(t->file);
    transfers[t->place] = transfers[--live];
    transfers[t->place]->place = t->place;
    free(t);
}

static int add_option(uint8_t *oack, int length, const char *name, uint32_t value) {
    length += sprintf((char *)oack + length, "%s", name) + 1;
    return length + sprintf((char *)oack + length, "%u", value) + 1;
}

static uint32_t bounded(const char *text, long least, long most) {
    long value = atol(text);
    return (uint32_t)(value < least ? least : value > most ? most : value);
}

static int connected(struct transfer *t, struct sockaddr_in *peer) {
    struct timeval wait = {0, TICK_MS * 1000};
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = here.sin_addr};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = QUEUE, segment = (int)t->blksize + 4, on = 1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) ||
        connect(fd, (struct sockaddr *)peer, sizeof *peer))
        die("transfer");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (t->windowsize > 1) {
        setsockopt(fd, SOL_SOCKET, t->is_write ? SO_RCVBUF : SO_SNDBUF, &size, sizeof size);
        if (t->is_write)
            setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
        else
            setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
    }
    return fd;
}

static void begin(ssize_t length, struct sockaddr_in *peer) {
    struct transfer *t = calloc(1, sizeof *t);
    struct stat info;
    uint8_t oack[200] = {0, 6};
    int size = 2;
    const char *name = (const char *)buffer + 2, *end = (const char *)buffer + length;
    const char *at = name + strlen(name) + 1;
    t->is_write = buffer[1] == 2;
    t->blksize = 512;
    t->windowsize = 1;
    at += strlen(at) + 1;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (value >= end)
            break;
        if (!strcasecmp(at, "blksize"))
            size = add_option(oack, size, at, t->blksize = bounded(value, 8, 65464));
        if (!strcasecmp(at, "windowsize"))
            size = add_option(oack, size, at, t->windowsize = bounded(value, 1, 65535));
        at = value + strlen(value) + 1;
    }
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", root, name);
    t->file = live == MOST_TRANSFERS || strstr(name, "..") ? -1
              : t->is_write ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)
                            : open(path, O_RDONLY);
    if (t->file < 0 || fstat(t->file, &info)) {
        sendto(listening, "\0\5\0\1not found", 14, 0, (struct sockaddr *)peer, sizeof *peer);
        free(t);
        return;
    }
    t->last = (uint64_t)info.st_size / t->blksize + 1;
    t->fd = connected(t, peer);
    t->place = live;
    transfers[live++] = t;
    if (live > 1)
        poll_too(transfers[0]), poll_too(t);
    if (size > 2) {
        send(t->fd, oack, (size_t)size, 0);
    } else if (t->is_write) {
        send_ack(t);
    } else {
        t->sent = 1;
        send_window(t);
    }
}

/* --- Many ------------------------------------------------------------------------------------- */

/* Takes a request, if there is one. Returns whether there was. */
static int accept_request(int flags) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    ssize_t length =
        recvfrom(listening, buffer, 2048, flags, (struct sockaddr *)&peer, &size);
    if (length < 0)
        return 0;
    memset(buffer + length, 0, 3);
    if (length >= 4 && (buffer[1] == 1 || buffer[1] == 2))
        begin(length, &peer);
    return 1;
}

static void serve_one(void) {
    struct transfer *t = transfers[0];
    for (int turn = 1; live == 1; turn++) {
        ssize_t length = recv(t->fd, buffer, sizeof buffer, 0);
        if (take(t, length, TICK_MS)) {
            end(t);
            return;
        }
        if (length < 0 || turn % LOOK_EVERY == 0)
            accept_request(MSG_DONTWAIT);
    }
}

static void serve_many(void) {
    struct epoll_event events[EVENTS];
    double swept = now();
    while (live > 1) {
        int ready = epoll_wait(polled, events, EVENTS, SWEEP_MS);
        for (int i = 0; i < ready; i++) {
            struct transfer *t = events[i].data.ptr;
            if (t == NULL)
                while (accept_request(MSG_DONTWAIT))
                    ;
            else if (take(t, recv(t->fd, buffer, sizeof buffer, MSG_DONTWAIT), 0))
                end(t);
        }
        if (now() - swept < SWEEP_MS / 1e3)
            continue;
        swept = now();
        errno = EAGAIN;
        for (int i = live - 1; i >= 0; i--, errno = EAGAIN)
            if (take(transfers[i], -1, SWEEP_MS))
                end(transfers[i]);
    }
}

int main(int argc, char **argv) {
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    struct rlimit files;
    int size = QUEUE;
    if (argc != 4)
        return 2;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    here.sin_family = AF_INET;
    here.sin_port = htons((uint16_t)atoi(argv[2]));
    root = argv[3];
    listening = socket(AF_INET, SOCK_DGRAM, 0);
    polled = epoll_create1(0);
    if (inet_pton(AF_INET, argv[1], &here.sin_addr) != 1 || listening < 0 ||
        bind(listening, (struct sockaddr *)&here, sizeof here) ||
        epoll_ctl(polled, EPOLL_CTL_ADD, listening, &event))
        die("listen");
    setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    for (;;) {
        if (live == 0)
            accept_request(0);
        else if (live == 1)
            serve_one();
        else
            serve_many();
    }
}
