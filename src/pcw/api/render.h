// Answers of the REST interface, and what only it shows. Fields may be added, never changed.
#pragma once

#include "pcw/base/json.h"
#include "pcw/net/server/message.h"
#include "pcw/quota/pg_quota.h"
#include "pcw/runs/freshness.h"

namespace pcw::api {

OrderedJson FreshnessJson(const runs::EntityFreshness& entity);
OrderedJson QuotaJson(const quota::QuotaStatus& status);

/// An answer of JSON.
net::server::Response JsonResponse(int status, const OrderedJson& json);
/// {"items": [...], "next_cursor": null or text}.
net::server::Response ListResponse(OrderedJson items, const std::string& next_cursor);

}  // namespace pcw::api
