// Bodies of SQS messages: events of EventBridge, and what lies in the queue of dead letters.
#include <vector>

#include "fuzz/target.h"
#include "pcw/base/assert.h"
#include "pcw/connector/entity_def.h"
#include "pcw/dlq/outbox.h"
#include "pcw/events/event_message.h"

PCW_FUZZ_TARGET(sqs_body) {
  using namespace pcw;
  if (const auto event = events::ReadEvent(input)) {
    const auto meaning = events::Interpret(*event, "AWS", connector::AllEntities());
    if (meaning && meaning->disposition == events::Disposition::kFetch)
      PCW_ASSERT(!meaning->records.empty() && !meaning->records.front().record_key.empty());
  }
  static_cast<void>(dlq::ReadMessage(input, "00000000-0000-4000-8000-000000000001"));
}
