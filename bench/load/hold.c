// Opens connections that log in and then stay idle.
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// For each number in turn: opens connections up to the number, prints it, and waits for a line.
void hold(char *numbers) {
  int opened = 0;
  for (char *number = strtok(numbers, ","); number != NULL; number = strtok(NULL, ",")) {
    int wanted = atoi(number);
    while ((int)total.logins < wanted) {
      while (opened < wanted && opened - (int)total.logins < options.at_once) {
        connection *c = calloc(1, sizeof *c);
        if (c == NULL) fail("no memory");
        c->number = opened++;
        dial(c);
      }
      turn();
    }
    printf("%d\n", wanted);
    fflush(stdout);
    char line[16];
    if (fgets(line, sizeof line, stdin) == NULL) return;
  }
}
