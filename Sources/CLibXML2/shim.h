// The part of libxml2 that proctor uses: the streaming reader and its structured errors, and the writer.
#include <libxml/xmlversion.h>
// Debian's libxml2 includes ICU's headers, which clash with the ICU inside Foundation; nothing of the
// reader needs them.
#undef LIBXML_ICU_ENABLED
#include <libxml/xmlreader.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlwriter.h>

// It prints some errors of encodings whatever handlers a parser was given. What it prints with belongs to the thread.
static void proctor_print_nothing(void *context, const char *format, ...) { (void)context, (void)format; }
static inline void proctor_silence_xml(void) { xmlSetGenericErrorFunc(NULL, proctor_print_nothing); }
