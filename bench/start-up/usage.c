// usage COMMAND ARGUMENT…: runs the command without output, and prints what it used as one line of JSON.
//
// A program of its own, and a small one: the kernel carries the greatest size of a process over to the program that
// it executes, so a child of Node would look as large as Node.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  double begin = now();
  pid_t child = fork();
  if (child == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    execvp(arguments[1], arguments + 1);
    perror(arguments[1]);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) < 0) {
    perror("usage");
    return 1;
  }
  printf("{\"status\":%d,\"wall\":%.6f,\"cpu\":%.6f,\"rssKib\":%ld}\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1, now() - begin,
         seconds_of(used.ru_utime) + seconds_of(used.ru_stime), used.ru_maxrss);
  return 0;
}
