/* xml_in.c - expat with limits: a path, the text of the element that is open, and no document types. */
#include "ingest/xml_in.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

/* The text of an element that has children is what stands after the last one: data elements have none. */
struct reader {
    XML_Parser parser;
    xml_visit *visit;
    void *to;
    struct err *err;
    enum status status;
    size_t depth, path_bytes, text_bytes;
    char path[XML_PATH_MAX];
    char text[XML_TEXT_MAX];
};

static void end_with(struct reader *reader, enum status status)
{
    if (reader->status == STATUS_OK)
        reader->status = status;
    (void)XML_StopParser(reader->parser, XML_FALSE);
}

static enum status beyond(struct err *err)
{
    return err_set(err, STATUS_BAD_DATA,
                   "The XML has a document type, or is deeper or longer than allowed.");
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = user;
    size_t n = strlen(name);
    (void)attributes;
    if (reader->depth >= XML_DEPTH_MAX || reader->path_bytes + n + 2 > sizeof reader->path) {
        end_with(reader, beyond(reader->err));
        return;
    }
    if (reader->depth++ > 0)
        reader->path[reader->path_bytes++] = '/';
    memcpy(reader->path + reader->path_bytes, name, n);
    reader->path_bytes += n;
    reader->text_bytes = 0;
}

static void on_text(void *user, const XML_Char *text, int n)
{
    struct reader *reader = user;
    if ((size_t)n > sizeof reader->text - reader->text_bytes) {
        end_with(reader, beyond(reader->err));
        return;
    }
    memcpy(reader->text + reader->text_bytes, text, (size_t)n);
    reader->text_bytes += (size_t)n;
}

static void on_end(void *user, const XML_Char *name)
{
    struct reader *reader = user;
    size_t n = strlen(name) + (reader->depth > 1 ? 1 : 0);
    if (reader->status != STATUS_OK)
        return;
    enum status s = reader->visit(reader->to, (struct str){reader->path, reader->path_bytes},
                                  (struct str){reader->text, reader->text_bytes}, reader->err);
    reader->depth--;
    reader->path_bytes -= n;
    reader->text_bytes = 0;
    if (s != STATUS_OK)
        end_with(reader, s);
}

static void on_type(void *user, const XML_Char *name, const XML_Char *system,
                    const XML_Char *public, int has_subset)
{
    struct reader *reader = user;
    (void)name, (void)system, (void)public, (void)has_subset;
    end_with(reader, beyond(reader->err));
}

enum status xml_read(struct str text, xml_visit *visit, void *to, struct err *err)
{
    struct reader reader = {.visit = visit, .to = to, .err = err};
    if (text.len > INT_MAX)
        return beyond(err);
    reader.parser = XML_ParserCreate("UTF-8");
    if (reader.parser == NULL)
        return err_out_of_memory(err);
    XML_SetUserData(reader.parser, &reader);
    XML_SetElementHandler(reader.parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader.parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader.parser, on_type);
    enum XML_Status done =
        XML_Parse(reader.parser, text.ptr == NULL ? "" : text.ptr, (int)text.len, 1);
    if (reader.status == STATUS_OK && done != XML_STATUS_OK)
        reader.status = XML_GetErrorCode(reader.parser) == XML_ERROR_NO_MEMORY
                            ? err_out_of_memory(err)
                            : err_set(err, STATUS_BAD_DATA, "That is no well-formed XML.");
    XML_ParserFree(reader.parser);
    return reader.status;
}
