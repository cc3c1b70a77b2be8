/* A board with few receive buffers: it reads one file, and takes its time for each datagram.

   What comes while its ring is full is lost, as in a small Ethernet controller. It acknowledges as
   U-Boot does: the end of a window, and at a gap once what it has. After a second of silence it
   acknowledges again. One core of its own, since it never sleeps. RFC 1350, 2347, 2348, 7440.

   usage: slow_board HOST PORT NAME BLKSIZE WINDOWSIZE RING MICROSECONDS LIMIT
   It gives up after LIMIT seconds, and prints one line of JSON. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RING = 256, MOST_DATAGRAM = 65536 };

static uint8_t ring[MOST_RING][MOST_DATAGRAM];
static ssize_t sizes[MOST_RING];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(2);
}

static void acknowledge(int fd, uint64_t block) {
    uint8_t ack[4] = {0, 4, block >> 8 & 255, block & 255};
    send(fd, ack, 4, MSG_DONTWAIT);
}

static int request(uint8_t *packet, const char *name, const char *blksize, const char *window) {
    const char *words[] = {name, "octet", "blksize", blksize, "windowsize", window};
    int length = 2;
    packet[0] = 0, packet[1] = 1;
    for (int i = 0; i < 6; i++)
        length += sprintf((char *)packet + length, "%s", words[i]) + 1;
    return length;
}

int main(int argc, char **argv) {
    if (argc != 9)
        return 2;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))}, peer;
    socklen_t length = sizeof peer;
    uint8_t packet[600];
    int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 8 << 20;
    if (fd < 0 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
        die("HOST");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    ssize_t blksize = atoi(argv[4]);
    int window = atoi(argv[5]), places = atoi(argv[6]), head = 0, count = 0, is_over = 0;
    double each = atof(argv[7]) * 1e-6, limit = atof(argv[8]);
    sendto(fd, packet, request(packet, argv[3], argv[4], argv[5]), 0,
           (struct sockaddr *)&server, sizeof server);
    if (recvfrom(fd, ring[0], MOST_DATAGRAM, 0, (struct sockaddr *)&peer, &length) < 0)
        die("recvfrom");
    connect(fd, (struct sockaddr *)&peer, sizeof peer);
    uint64_t block = 0, acked = 0, octets = 0;
    long timeouts = 0, lost = 0;
    int is_gap_told = 0;
    double began = now(), heard = began, free_at = began;
    acknowledge(fd, 0);
    while (!is_over && now() - began < limit) {
        /* What arrives goes into the ring, or is lost. */
        for (;;) {
            static uint8_t dropped[MOST_DATAGRAM];
            int place = (head + count) % places;
            uint8_t *to = count < places ? ring[place] : dropped;
            ssize_t size = recv(fd, to, MOST_DATAGRAM, MSG_DONTWAIT);
            if (size < 0)
                break;
            if (count < places)
                sizes[place] = size, count++;
            else
                lost++;
        }
        double time = now();
        if (count && time >= free_at) {
            uint8_t *data = ring[head];
            ssize_t size = sizes[head];
            head = (head + 1) % places;
            count--;
            free_at = time + each;
            if (size < 4 || data[1] != 3)
                continue;
            heard = time;
            if ((uint16_t)(data[2] << 8 | data[3]) == (uint16_t)(block + 1)) {
                block++;
                octets += size - 4;
                is_gap_told = 0;
                is_over = size - 4 < blksize;
                if (is_over || block - acked == (uint64_t)window)
                    acknowledge(fd, acked = block);
            } else if (!is_gap_told) {
                is_gap_told = 1;
                acknowledge(fd, acked = block);
            }
        } else if (!count && time - heard > 1.0) {
            timeouts++;
            heard = time;
            acknowledge(fd, acked = block);
        }
    }
    printf("{\"seconds\": %.6f, \"octets\": %llu, \"timeouts\": %ld, \"lost\": %ld, "
           "\"is_over\": %d}\n",
           now() - began, (unsigned long long)octets, timeouts, lost, is_over);
    return 0;
}
