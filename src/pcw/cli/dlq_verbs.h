// What the verbs of `pcw dlq` share.
#pragma once

#include <memory>

#include "pcw/cli/cli.h"
#include "pcw/dlq/dead_letter.h"

namespace pcw::cli {

/// Adds --entity, --cause, --group, --run, --since, --until, --stage.
void AddLetterFilter(CLI::App& verb, const std::shared_ptr<dlq::DeadLetterFilter>& filter);
/// --since and --until as the database takes them. An error of usage for a value that its option
/// cannot have.
Status FinishFilter(dlq::DeadLetterFilter& filter);

void AddDlqDeliver(CLI::App& dlq, wiring::Invocation& invocation);
void AddDlqReplay(CLI::App& dlq, wiring::Invocation& invocation);
void AddDlqDrop(CLI::App& dlq, wiring::Invocation& invocation);

}  // namespace pcw::cli
