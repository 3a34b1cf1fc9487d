// Puts the server under load, and counts in windows of its processor time.
#include "load.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRACE_SECONDS = 5 };

// The processor time of all threads of a process, from /proc/PID/task/TID/schedstat.
static double seconds_of(int pid) {
  char name[600];
  double nanoseconds = 0;
  snprintf(name, sizeof name, "/proc/%d/task", pid);
  DIR *threads = opendir(name);
  if (threads == NULL) return 0;
  for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
    unsigned long long running = 0;
    snprintf(name, sizeof name, "/proc/%d/task/%s/schedstat", pid, thread->d_name);
    FILE *file = thread->d_name[0] == '.' ? NULL : fopen(name, "r");
    if (file == NULL) continue;
    if (fscanf(file, "%llu", &running) == 1) nanoseconds += running;
    fclose(file);
  }
  closedir(threads);
  return nanoseconds / 1e9;
}

typedef struct {
  double clock, cpu[MAX_PIDS], all_cpu;
  counts total;
} moment;

static moment look(const int *pids, int pid_count) {
  moment m = {.clock = now(), .total = total};
  for (int i = 0; i < pid_count; i++) m.all_cpu += m.cpu[i] = seconds_of(pids[i]);
  return m;
}

// Runs until the servers have used this processor time since the beginning, and taken octets after
// `least`: a slow server takes none in a short window. For a server that waits instead, the end is
// at four times the rest by the clock. The grace is for a busy machine.
static void turn_until(const moment *beginning, double cpu, uint64_t least, const int *pids, int pid_count) {
  moment start = look(pids, pid_count);
  double rest = cpu - (start.all_cpu - beginning->all_cpu);
  for (double looked = start.clock; now() - start.clock < 4 * rest + GRACE_SECONDS;) {
    turn();
    if (now() - looked < 0.02) continue;
    moment m = look(pids, pid_count);
    looked = m.clock;
    if (m.all_cpu - beginning->all_cpu >= cpu && m.total.bytes > least) return;
  }
}

static void print_window(const moment *from, const moment *to, int pid_count) {
  printf("{\"seconds\":%.6f,\"sessions\":%llu,\"messages\":%llu,\"bytes\":%llu,\"received\":%llu,\"cpu\":[", to->clock - from->clock,
         (unsigned long long)(to->total.sessions - from->total.sessions),
         (unsigned long long)(to->total.messages - from->total.messages), (unsigned long long)(to->total.bytes - from->total.bytes),
         (unsigned long long)(to->total.received - from->total.received));
  for (int i = 0; i < pid_count; i++) printf("%s%.6f", i > 0 ? "," : "", to->cpu[i] - from->cpu[i]);
  printf("]}");
}

// Prints one line of JSON: the windows, and all that was counted from the first connection to the last.
void measure(const int *pids, int pid_count, const window *windows, int window_count) {
  connection *all = calloc(options.at_once, sizeof *all);
  if (all == NULL) fail("no memory");
  moment beginning = look(pids, pid_count);
  for (int i = 0; i < options.at_once; i++) {
    all[i].number = i;
    dial(&all[i]);
  }
  printf("{\"windows\":[");
  for (int i = 0; i < window_count; i++) {
    turn_until(&beginning, windows[i].from, 0, pids, pid_count);
    moment from = look(pids, pid_count);
    turn_until(&from, windows[i].seconds, from.total.bytes, pids, pid_count);
    moment to = look(pids, pid_count);
    if (i > 0) printf(",");
    print_window(&from, &to, pid_count);
  }

  stopping = 1;
  double end = now() + TIMEOUT_MS / 1e3;
  while (open_connections > 0) {
    if (now() > end) fail("%d connections do not end", open_connections);
    turn();
  }
  printf("],\"sessions\":%llu,\"messages\":%llu,\"logins\":%llu,\"resumed\":%llu}\n", (unsigned long long)total.sessions,
         (unsigned long long)total.messages, (unsigned long long)total.logins, (unsigned long long)total.resumed);
}
