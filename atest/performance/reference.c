/* A TFTP server that does one thing: one read after the other, as fast as C can do it here.

   It is what the windows of the product are measured against. Blocks are read between their
   headers (preadv), and a window leaves in one system call for each 64 blocks (UDP_SEGMENT).
   RFC 1350, 2347, 2348, 7440; reads only, no retransmission but of the last window. Linux only.

   usage: reference HOST PORT ROOT */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { MOST_SEGMENTS = 64, MOST_OCTETS = 65507, PIECES = 1024 };

static struct sockaddr_in here, peer;
static const char *root;
static uint8_t frames[1 << 20];
static struct iovec pieces[PIECES];

struct transfer {
    int fd, file;
    uint32_t blksize, windowsize;
    uint64_t size, last;
};

static void die(const char *what) {
    perror(what);
    exit(2);
}

/* Frames the blocks `first` to `last`. Returns the octets of all their datagrams. */
static size_t frame(struct transfer *t, uint64_t first, uint64_t last) {
    uint32_t segment = t->blksize + 4;
    int count = (int)(last - first + 1);
    for (int i = 0; i < count; i++) {
        uint8_t *at = frames + (size_t)i * segment;
        uint64_t block = first + i;
        at[0] = 0, at[1] = 3, at[2] = block >> 8 & 255, at[3] = block & 255;
        pieces[i] = (struct iovec){at + 4, t->blksize};
    }
    ssize_t octets = preadv(t->file, pieces, count, (off_t)((first - 1) * t->blksize));
    return octets < 0 ? 0 : (size_t)octets + 4 * (size_t)count;
}

static void send_window(struct transfer *t, uint64_t first, uint64_t last) {
    uint32_t segment = t->blksize + 4;
    uint64_t most = MOST_OCTETS / segment < MOST_SEGMENTS ? MOST_OCTETS / segment : MOST_SEGMENTS;
    if (most == 0)
        most = 1;
    while (first <= last) {
        uint64_t until = last - first < most ? last : first + most - 1;
        if (send(t->fd, frames, frame(t, first, until), 0) < 0)
            return;
        first = until + 1;
    }
}

static void run(struct transfer *t, int has_oack) {
    uint64_t acked = 0, sent = has_oack ? 0 : 1;
    uint8_t ack[600];
    if (!has_oack)
        send_window(t, 1, 1);
    for (int tries = 0; tries < 5;) {
        ssize_t length = recv(t->fd, ack, sizeof ack, 0);
        if (length < 0) {
            tries++;
            send_window(t, acked + 1, sent);
            continue;
        }
        if (length < 4 || ack[1] != 4)
            return;
        uint16_t ahead = (uint16_t)((ack[2] << 8 | ack[3]) - acked);
        if (ahead > sent - acked || (!ahead && sent))
            continue;
        tries = 0;
        acked += ahead;
        if (acked == t->last)
            return;
        sent = acked + t->windowsize < t->last ? acked + t->windowsize : t->last;
        send_window(t, acked + 1, sent);
    }
}

static int add_option(uint8_t *oack, int length, const char *name, uint32_t value) {
    length += sprintf((char *)oack + length, "%s", name) + 1;
    return length + sprintf((char *)oack + length, "%u", value) + 1;
}

static void serve(int listening, const uint8_t *request, ssize_t length) {
    struct transfer t = {.blksize = 512, .windowsize = 1};
    struct stat info;
    struct timeval wait = {1, 0};
    uint8_t oack[200] = {0, 6};
    int size = 2, buffer = 4 << 20;
    const char *name = (const char *)request + 2, *end = (const char *)request + length;
    const char *at = name + strlen(name) + 1;
    at += strlen(at) + 1;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (value >= end)
            break;
        if (!strcasecmp(at, "blksize"))
            size = add_option(oack, size, at, t.blksize = (uint32_t)atoi(value));
        if (!strcasecmp(at, "windowsize"))
            size = add_option(oack, size, at, t.windowsize = (uint32_t)atoi(value));
        at = value + strlen(value) + 1;
    }
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", root, name);
    t.file = open(path, O_RDONLY);
    if (t.file < 0 || fstat(t.file, &info)) {
        sendto(listening, "\0\5\0\1not found", 14, 0, (struct sockaddr *)&peer, sizeof peer);
        return;
    }
    t.size = (uint64_t)info.st_size;
    t.last = t.size / t.blksize + 1;
    t.fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = here.sin_addr};
    if (t.fd < 0 || bind(t.fd, (struct sockaddr *)&own, sizeof own) ||
        connect(t.fd, (struct sockaddr *)&peer, sizeof peer))
        die("transfer");
    setsockopt(t.fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(t.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    int segment = (int)t.blksize + 4;
    if (t.windowsize > 1)
        setsockopt(t.fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
    if (size > 2)
        send(t.fd, oack, (size_t)size, 0);
    run(&t, size > 2);
    close(t.fd);
    close(t.file);
}

int main(int argc, char **argv) {
    uint8_t request[2048];
    if (argc != 4)
        return 2;
    here.sin_family = AF_INET;
    here.sin_port = htons((uint16_t)atoi(argv[2]));
    root = argv[3];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (inet_pton(AF_INET, argv[1], &here.sin_addr) != 1 || fd < 0 ||
        bind(fd, (struct sockaddr *)&here, sizeof here))
        die("bind");
    for (;;) {
        socklen_t size = sizeof peer;
        ssize_t length =
            recvfrom(fd, request, sizeof request - 1, 0, (struct sockaddr *)&peer, &size);
        if (length < 4 || request[1] != 1)
            continue;
        request[length] = 0;
        serve(fd, request, length);
    }
}
