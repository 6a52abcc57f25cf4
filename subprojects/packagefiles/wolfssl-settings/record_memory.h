/* Where wolfSSL's memory comes from. The buffers of records, one for each that is taken in or sent,
 * come from the heap of the session's context where it has one (proto/tls/record_buffers.hh); all
 * else, whatever its heap, from malloc. So the library has to free these buffers as what it
 * allocated them: of one of the two types, and with the heap of their session; and never to
 * reallocate them. 5.5.4 and 5.9.2 keep to it, and tests/libraries looks at any version. */
#ifndef GATEWAY_WOLFSSL_RECORD_MEMORY_H
#define GATEWAY_WOLFSSL_RECORD_MEMORY_H

#include <stddef.h>

/* What the `heap` of wolfSSL_CTX_new_ex points to. `take` returns NULL where there is no memory;
 * `give` gets what `take` returned, never NULL. */
struct gateway_record_memory {
  void* (*take)(struct gateway_record_memory* memory, size_t bytes);
  void (*give)(struct gateway_record_memory* memory, void* buffer);
};

/* For the library's own sources, which see this before any system header: hence the built-ins. */
#ifndef __cplusplus
static inline void* gateway_malloc(struct gateway_record_memory* memory, size_t bytes) {
  return memory != NULL ? memory->take(memory, bytes) : __builtin_malloc(bytes);
}

static inline void gateway_free(struct gateway_record_memory* memory, void* buffer) {
  if (memory != NULL && buffer != NULL) {
    memory->give(memory, buffer);
  } else {
    __builtin_free(buffer);
  }
}

#define GATEWAY_OF_RECORD(type) \
  ((type) == DYNAMIC_TYPE_IN_BUFFER || (type) == DYNAMIC_TYPE_OUT_BUFFER)
#define GATEWAY_MEMORY(heap, type) \
  (GATEWAY_OF_RECORD(type) ? (struct gateway_record_memory*)(heap) : NULL)
#define XMALLOC(bytes, heap, type) gateway_malloc(GATEWAY_MEMORY(heap, type), (bytes))
#define XFREE(buffer, heap, type) gateway_free(GATEWAY_MEMORY(heap, type), (buffer))
#define XREALLOC(buffer, bytes, heap, type) __builtin_realloc((buffer), (bytes))
#endif

#endif
