/*
 * kind_cache.h
 *		Recognising the kind of an incoming event without a look at its group.
 */
#ifndef ENGAGEMENT_TIMELINE_KIND_CACHE_H
#define ENGAGEMENT_TIMELINE_KIND_CACHE_H

#include "postgres.h"

#include "fmgr.h"

#include "timeline/builder.h"

extern KindToken kind_cache_look_up(FmgrInfo *call_site, const BuilderEvent *event);

#endif							/* ENGAGEMENT_TIMELINE_KIND_CACHE_H */
