/* Loaded before a program (LD_PRELOAD): its wall clock is off by what the file named in TORTURE_CLOCK says, in
 * nanoseconds, at any moment. The monotonic clock, by which programs measure how long things take, stays true, as it does
 * when the clock of a real machine is set.
 *
 * Who waits until a moment of the wall clock names it by the clock that it sees, but the kernel waits by its own: without
 * a translation a thread of mongod whose clock is an hour ahead would sleep for an hour where it meant a second. Waits
 * that are under way when the clock is set last as long as they were meant to. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("TORTURE_CLOCK");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) offset = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (result == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t shifted = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec + *offset;
        time->tv_sec = shifted / 1000000000;
        time->tv_nsec = shifted % 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval *restrict value, void *restrict zone) {
    (void)zone;
    struct timespec time;
    int result = clock_gettime(CLOCK_REALTIME, &time);
    value->tv_sec = time.tv_sec;
    value->tv_usec = time.tv_nsec / 1000;
    return result;
}

time_t time(time_t *value) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (value) *value = now.tv_sec;
    return now.tv_sec;
}

/* The moment by the kernel's clock. */
static struct timespec kernels(const struct timespec *moment) {
    int64_t shifted = (int64_t)moment->tv_sec * 1000000000 + moment->tv_nsec - (offset ? *offset : 0);
    if (shifted < 0) shifted = 0;
    return (struct timespec){.tv_sec = shifted / 1000000000, .tv_nsec = shifted % 1000000000};
}

/* glibc notes in the condition itself that it waits by the monotonic clock. */
#define MONOTONIC 2

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
    static int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    /* The newest version by its name: there is an older one, of another condition variable. */
    if (!wait) wait = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!wait) wait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    if (condition->__data.__wrefs & MONOTONIC) return wait(condition, mutex, until);
    struct timespec moment = kernels(until);
    return wait(condition, mutex, &moment);
}

int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, clockid_t clock,
                           const struct timespec *restrict until) {
    static int (*wait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
    if (!wait) wait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
    if (clock != CLOCK_REALTIME) return wait(condition, mutex, clock, until);
    struct timespec moment = kernels(until);
    return wait(condition, mutex, clock, &moment);
}
