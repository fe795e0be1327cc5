// What the tests share.

#ifndef TEST_H
#define TEST_H

#include <neuropil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                                            \
  do {                                                                                                               \
    if (!(condition)) {                                                                                              \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                        \
      exit(1);                                                                                                       \
    }                                                                                                                \
  } while (0)

// The call succeeds and gives no error.
#define OK(call_with_error)                                                                                          \
  do {                                                                                                               \
    npl_error *error = (npl_error *)&error;                                                                          \
    npl_status status = (call_with_error);                                                                           \
    if (status != NPL_OK) {                                                                                          \
      fprintf(stderr, "%s:%d: %s: status %d: %s\n", __FILE__, __LINE__, #call_with_error, (int)status,               \
              npl_error_message(error));                                                                             \
      exit(1);                                                                                                       \
    }                                                                                                                \
    EXPECT(error == NULL);                                                                                           \
  } while (0)

// The call fails with that status, and an error whose message holds the text.
#define FAILS(expected, text, call_with_error)                                                                       \
  do {                                                                                                               \
    npl_error *error = NULL;                                                                                         \
    npl_status status = (call_with_error);                                                                           \
    if (status != (expected) || error == NULL || strstr(npl_error_message(error), (text)) == NULL ||                 \
        npl_error_status(error) != status) {                                                                         \
      fprintf(stderr, "%s:%d: %s: status %d: %s\n", __FILE__, __LINE__, #call_with_error, (int)status,               \
              npl_error_message(error));                                                                             \
      exit(1);                                                                                                       \
    }                                                                                                                \
    npl_error_free(error);                                                                                           \
  } while (0)

static inline npl_simulation *simulate(const char *text) {
  npl_model *model = NULL;
  npl_simulation *simulation = NULL;
  OK(npl_model_parse("test.toml", text, &model, &error));
  OK(npl_simulate(model, NULL, &simulation, &error));
  npl_model_free(model);
  return simulation;
}

#endif
