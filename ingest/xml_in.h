/*
 * xml_in.h - the few XML answers of cloud services, read through expat (its only user). Pure; any thread.
 * A document type is refused, so no entity is ever expanded; depth, names and texts are bounded. The caller bounds the
 * whole. Namespaces are not looked at: S3 servers differ in them.
 */
#ifndef INGEST_XML_IN_H
#define INGEST_XML_IN_H

#include "base/err.h"

enum { XML_DEPTH_MAX = 12, XML_PATH_MAX = 512, XML_TEXT_MAX = 8192 };

/*
 * Called at the end of every element: path from the root ("ListBucketResult/Contents/Key"), and the text directly in
 * it, ends not trimmed. Both are gone after the call.
 */
typedef enum status xml_visit(void *to, struct str path, struct str text, struct err *err);

/* Errors: BAD_DATA for what is no XML or beyond the limits; OUT_OF_MEMORY; those of visit. */
enum status xml_read(struct str text, xml_visit *visit, void *to, struct err *err) NODISCARD;

#endif
