/*
 * publish_due.h - when the next publish of each mart is due (mart_generation.next_due_at): at the next slot of a schedule that publishes
 * a data set which feeds it. Answers are fresh until then (handlers/answer_reply.h). Said again when a schedule changes and when
 * a job has published, so that a publish that does not come is overdue.
 */
#ifndef HANDLERS_PUBLISH_DUE_H
#define HANDLERS_PUBLISH_DUE_H

#include "store/db.h"

enum status publish_due_note(struct db *db, struct arena *arena, struct err *err) NODISCARD;

#endif
