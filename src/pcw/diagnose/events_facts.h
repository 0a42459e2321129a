// Looking at events and their queue (runbook 3.4).
#pragma once

#include <optional>
#include <string>

#include "pcw/aws/sqs.h"
#include "pcw/base/error.h"
#include "pcw/events/outbox.h"
#include "pcw/events/status.h"

namespace pcw::diagnose {

/// What a diagnosis saw of events; only where they are configured.
struct EventsFacts {
  std::string queue_url;  ///< empty = events do not come in
  std::optional<Error> queue_error;
  std::optional<aws::sqs::QueueAttributes> queue;
  events::InboxStatus in;
  std::string target;  ///< events.out.url; empty = events do not go out
  events::OutboxStatus out;
};

}  // namespace pcw::diagnose
