/* What the interpreter of a zygote calls. */
#ifndef FAASD_ZYGOTE_H
#define FAASD_ZYGOTE_H

/* Takes the policy and the boxes' root from the spawner; 0 or an errno. To be called once, before zygote_serve. */
int zygote_open(void);

/* Makes forks as long as the spawner asks for some. Returns 1 in a fork that has become a box, 0 when the spawner is gone,
 * minus an errno when it said something that is no order. To be called by the only thread there is, holding the GIL. */
int zygote_serve(void);

#endif
