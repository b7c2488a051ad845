#include "spawner_protocol.h"

_Static_assert(sizeof(struct sp_request) == 80 && sizeof(struct sp_reply) == 72, "fixed layout");
