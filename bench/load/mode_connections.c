#include "load.h"
void run_connect(const options *o) { fail("%s", o->mode); }
void run_idle(const options *o) { fail("%s", o->mode); }
void run_broadcast(const options *o) { fail("%s", o->mode); }
void run_chat(const options *o) { fail("%s", o->mode); }
void run_stall(const options *o) { fail("%s", o->mode); }
