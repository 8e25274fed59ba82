/* log_writer.h - where the lines of log.h go. Private to log*.c. */
#ifndef BASE_LOG_WRITER_H
#define BASE_LOG_WRITER_H

#include "base/str.h"

/* A whole line with its end. False when it had to be dropped. */
bool log_write(struct str line);
void log_count_dropped(unsigned n);

#endif
