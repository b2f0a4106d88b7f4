// The part of libxml2 that proctor uses: the streaming reader and its structured errors.
#include <libxml/xmlreader.h>
#include <libxml/xmlerror.h>
