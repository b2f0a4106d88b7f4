// The part of libxml2 that proctor uses: the streaming reader and its structured errors, and the writer.
#include <libxml/xmlversion.h>
// Debian's libxml2 includes ICU's headers, which clash with the ICU inside Foundation; nothing of the
// reader needs them.
#undef LIBXML_ICU_ENABLED
#include <libxml/xmlreader.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlwriter.h>
