/* A TFTP load generator: many reads or writes against one server, as fast as the machine can.

   It is the client of the benchmark, so that the server is what is measured. It checks block
   numbers and sizes always, and the octets against a local copy with -v. One client runs on a
   blocking socket, several on epoll. RFC 1350, 2347, 2348, 7440. Linux only.

   usage: load [-w] [-v FILE] [-b BLKSIZE] [-k WINDOWSIZE] [-c CLIENTS] [-n TRANSFERS] [-G] [-u]
               [-s SIZE] HOST PORT NAME
   -w writes SIZE octets to NAME-<number>, -G switches UDP_GRO off, -u makes clients ask NAME-<i>.
   It prints one line of JSON. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { BUFFER = 65536 * 2, RETRY_MS = 1000, RETRIES = 8 };

struct client {
    int fd, number, is_open, tries, windowsize;
    uint64_t acked, last, octets;
    uint32_t blksize;
    double began, heard;
};

static struct sockaddr_in server;
static const char *name;
static int is_write, is_unique, with_gro = 1, asked_window = 1, asked_blksize = 512;
static uint64_t write_size;
static const uint8_t *expected;
static uint64_t expected_size;
static double *durations;
static uint64_t total_octets;
static long finished, errors, retries, started, wanted = 1;
static uint8_t *frames;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(2);
}

static void ask(struct client *c) {
    uint8_t packet[600];
    char path[300];
    int length = 2;
    packet[0] = 0;
    packet[1] = is_write ? 2 : 1;
    if (is_write || is_unique)
        snprintf(path, sizeof path, "%s-%d", name, c->number);
    else
        snprintf(path, sizeof path, "%s", name);
    length += sprintf((char *)packet + length, "%s", path) + 1;
    length += sprintf((char *)packet + length, "octet") + 1;
    if (asked_blksize != 512) {
        length += sprintf((char *)packet + length, "blksize") + 1;
        length += sprintf((char *)packet + length, "%d", asked_blksize) + 1;
    }
    if (asked_window != 1) {
        length += sprintf((char *)packet + length, "windowsize") + 1;
        length += sprintf((char *)packet + length, "%d", asked_window) + 1;
    }
    if (sendto(c->fd, packet, length, 0, (struct sockaddr *)&server, sizeof server) < 0)
        die("sendto");
}

static void begin(struct client *c, int is_blocking) {
    struct timeval wait = {RETRY_MS / 1000, RETRY_MS % 1000 * 1000};
    int size = 4 << 20;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = server.sin_addr};
    c->fd = socket(AF_INET, SOCK_DGRAM | (is_blocking ? 0 : SOCK_NONBLOCK), 0);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&here, sizeof here))
        die("socket");
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (is_blocking)
        setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    c->is_open = 0;
    c->tries = 0;
    c->acked = c->last = c->octets = 0;
    c->blksize = 512;
    c->windowsize = 1;
    c->number = started++;
    c->began = c->heard = now();
    ask(c);
}

static void acknowledge(struct client *c) {
    uint8_t ack[4] = {0, 4, c->acked >> 8 & 255, c->acked & 255};
    c->last = c->acked;
    send(c->fd, ack, 4, MSG_DONTWAIT);
}

static void send_window(struct client *c) {
    uint64_t blocks = write_size / c->blksize + 1, block = c->acked;
    uint32_t segment = c->blksize + 4;
    size_t length = 0;
    while (block < blocks && block < c->acked + c->windowsize) {
        uint64_t offset = block * c->blksize;
        size_t size = write_size - offset < c->blksize ? write_size - offset : c->blksize;
        uint8_t *frame = frames + length;
        block++;
        frame[0] = 0, frame[1] = 3, frame[2] = block >> 8 & 255, frame[3] = block & 255;
        if (expected)
            memcpy(frame + 4, expected + offset, size);
        length += size + 4;
        if (length + segment > 65507 || block == blocks || block == c->acked + c->windowsize) {
            if (send(c->fd, frames, length, 0) < 0)
                errors++;
            length = 0;
        }
    }
    c->last = block;
}

/* The server has shown itself: its TID, and perhaps the options. */
static void open_transfer(struct client *c, const uint8_t *packet, int length,
                          struct sockaddr_in *peer) {
    c->is_open = 1;
    if (connect(c->fd, (struct sockaddr *)peer, sizeof *peer))
        die("connect");
    if (packet[1] == 6) {
        const char *at = (const char *)packet + 2, *end = (const char *)packet + length;
        while (at < end) {
            const char *value = at + strlen(at) + 1;
            if (value >= end)
                break;
            if (!strcasecmp(at, "blksize"))
                c->blksize = atoi(value);
            if (!strcasecmp(at, "windowsize"))
                c->windowsize = atoi(value);
            at = value + strlen(value) + 1;
        }
    }
    int on = 1, segment = c->blksize + 4;
    if (!is_write && with_gro && c->windowsize > 1)
        setsockopt(c->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    if (is_write && c->windowsize > 1 && segment + 28 <= 65535)
        setsockopt(c->fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
}

/* One DATA. Returns 1 at the end of the file, 0 otherwise. */
static int take_data(struct client *c, const uint8_t *data, int length) {
    uint16_t wire = data[2] << 8 | data[3];
    if (wire != (uint16_t)(c->acked + 1))
        return 0;
    int size = length - 4;
    if (expected) {
        uint64_t offset = c->acked * c->blksize;
        if (offset + size > expected_size || memcmp(data + 4, expected + offset, size))
            errors++;
    }
    c->acked++;
    c->octets += size;
    if (size < (int)c->blksize) {
        if (expected && c->octets != expected_size)
            errors++;
        acknowledge(c);
        return 1;
    }
    if (c->acked - c->last == (uint64_t)c->windowsize)
        acknowledge(c);
    return 0;
}

/* What came from the socket, perhaps many datagrams in one. Returns 1 when all is done. */
static int take(struct client *c, const uint8_t *buffer, int length, struct sockaddr_in *peer) {
    if (length < 4)
        return 0;
    c->heard = now();
    c->tries = 0;
    if (buffer[1] == 5) {
        fprintf(stderr, "ERROR %d %s\n", buffer[3], buffer + 4);
        errors++;
        return 1;
    }
    if (!c->is_open)
        open_transfer(c, buffer, length, peer);
    if (is_write) {
        uint64_t blocks = write_size / c->blksize + 1;
        uint16_t wire = buffer[1] == 6 ? 0 : buffer[2] << 8 | buffer[3];
        uint16_t ahead = wire - (uint16_t)c->acked;
        if (ahead > c->last - c->acked)
            return 0;
        if (c->last && !ahead)
            return 0;
        c->acked += ahead;
        if (c->acked == blocks) {
            c->octets = write_size;
            return 1;
        }
        send_window(c);
        return 0;
    }
    if (buffer[1] == 6) {
        acknowledge(c);
        return 0;
    }
    int segment = c->blksize + 4;
    for (int at = 0; at < length; at += segment)
        if (take_data(c, buffer + at, length - at < segment ? length - at : segment))
            return 1;
    return 0;
}

static int on_silence(struct client *c) {
    retries++;
    if (++c->tries > RETRIES) {
        errors++;
        return 1;
    }
    c->heard = now();
    if (!c->is_open)
        ask(c);
    else if (is_write)
        send_window(c);
    else
        acknowledge(c);
    return 0;
}

static void end(struct client *c) {
    durations[finished++] = now() - c->began;
    total_octets += c->octets;
    close(c->fd);
}

static void run_one(uint8_t *buffer) {
    struct client c;
    while (started < wanted) {
        begin(&c, 1);
        for (;;) {
            struct sockaddr_in peer;
            socklen_t size = sizeof peer;
            ssize_t length = c.is_open ? recv(c.fd, buffer, BUFFER, 0)
                                       : recvfrom(c.fd, buffer, BUFFER, 0,
                                                  (struct sockaddr *)&peer, &size);
            if (length < 0 ? on_silence(&c) : take(&c, buffer, length, &peer))
                break;
        }
        end(&c);
    }
}

static void run_many(int count, uint8_t *buffer) {
    struct client *clients = calloc(count, sizeof *clients);
    struct epoll_event event, events[256];
    int poll = epoll_create1(0), live = 0;
    double swept = now();
    for (int i = 0; i < count && started < wanted; i++, live++) {
        begin(&clients[i], 0);
        event = (struct epoll_event){EPOLLIN, {.ptr = &clients[i]}};
        epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &event);
    }
    while (live > 0) {
        int ready = epoll_wait(poll, events, 256, 100);
        for (int i = 0; i < ready; i++) {
            struct client *c = events[i].data.ptr;
            struct sockaddr_in peer;
            socklen_t size = sizeof peer;
            ssize_t length;
            int is_over = 0;
            while (!is_over && (length = recvfrom(c->fd, buffer, BUFFER, 0,
                                                  (struct sockaddr *)&peer, &size)) >= 0) {
                is_over = take(c, buffer, length, &peer);
                /* After an ACK it is the server's turn: do not look in vain. */
                if (c->is_open && c->acked == c->last)
                    break;
            }
            if (!is_over)
                continue;
            end(c);
            live--;
            if (started < wanted) {
                begin(c, 0);
                event = (struct epoll_event){EPOLLIN, {.ptr = c}};
                epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
                live++;
            }
        }
        if (now() - swept < 0.1)
            continue;
        swept = now();
        for (int i = 0; i < count; i++)
            if (clients[i].heard && swept - clients[i].heard > RETRY_MS / 1e3 &&
                fcntl(clients[i].fd, F_GETFD) >= 0 && on_silence(&clients[i])) {
                end(&clients[i]);
                clients[i].heard = 0;
                live--;
            }
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const uint8_t *map(const char *path, uint64_t *size) {
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info))
        die(path);
    *size = info.st_size;
    void *content = mmap(NULL, info.st_size ? info.st_size : 1, PROT_READ, MAP_PRIVATE, fd, 0);
    if (content == MAP_FAILED)
        die("mmap");
    return content;
}

int main(int argc, char **argv) {
    int option, clients = 1;
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    while ((option = getopt(argc, argv, "wv:b:k:c:n:s:Gu")) != -1) {
        switch (option) {
        case 'w': is_write = 1; break;
        case 'v': expected = map(optarg, &expected_size); break;
        case 'b': asked_blksize = atoi(optarg); break;
        case 'k': asked_window = atoi(optarg); break;
        case 'c': clients = atoi(optarg); break;
        case 'n': wanted = atol(optarg); break;
        case 's': write_size = strtoull(optarg, NULL, 10); break;
        case 'G': with_gro = 0; break;
        case 'u': is_unique = 1; break;
        default: return 2;
        }
    }
    if (argc - optind != 3)
        return 2;
    server.sin_family = AF_INET;
    server.sin_port = htons(atoi(argv[optind + 1]));
    if (inet_pton(AF_INET, argv[optind], &server.sin_addr) != 1)
        die("HOST");
    name = argv[optind + 2];
    if (is_write && expected)
        write_size = expected_size;
    durations = calloc(wanted, sizeof *durations);
    frames = malloc(2 * BUFFER);
    uint8_t *buffer = malloc(BUFFER);
    double began = now();
    if (clients == 1)
        run_one(buffer);
    else
        run_many(clients, buffer);
    double seconds = now() - began;
    qsort(durations, finished, sizeof *durations, compare);
    printf("{\"seconds\": %.6f, \"octets\": %llu, \"transfers\": %ld, \"errors\": %ld, "
           "\"retries\": %ld, \"p50\": %.6f, \"p99\": %.6f}\n",
           seconds, (unsigned long long)total_octets, finished, errors, retries,
           durations[finished / 2], durations[finished * 99 / 100]);
    return errors != 0;
}
