// pcw mapping show|check|test|diff
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "pcw/base/file.h"
#include "pcw/cli/cli.h"
#include "pcw/cli/mapping_samples.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/response_shape.h"
#include "pcw/connector/yaml_document.h"
#include "pcw/tables/entity_columns.h"
#include "pcw/tables/entity_table.h"
#include "pcw/wiring/sync_command.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

using connector::ColumnMapping;
using connector::EntityDef;
using connector::Mapping;

constexpr int kExitChanges = 2;

Result<const EntityDef*> EntityNamed(const std::string& name, const config::Config& config) {
  PCW_TRY(const auto entities, wiring::EntitiesNamed(connector::PartnerCentral(), name, config));
  if (entities.size() != 1 || entities.front()->name != name)
    return Error(ErrorCode::kInvalidRequest, "give one entity").As(ErrorMark::kUsage);
  return entities.front();
}

Result<int> Show(const wiring::Invocation& invocation, const std::string& name) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const EntityDef* entity, EntityNamed(name, loaded.config));
  PCW_TRY(const config::MappingText text, config::MappingTextFor(loaded.config, entity->name));
  std::fwrite(text.yaml.data(), 1, text.yaml.size(), stdout);
  std::fprintf(stderr, "pcw: from %s\n", text.file.c_str());
  return kExitOk;
}

/// What `check` has to say, in the order of the files.
struct Remark {
  bool is_error = false;
  std::string location;  ///< file:line:column, or the file
  std::string text;
};

// Where a column's name stands in the document.
std::string LocationOf(const connector::YamlDocument& document, const std::string& file,
                       const std::string& column) {
  const connector::YamlNode* columns = document.root.Find("columns");
  if (columns != nullptr) {
    for (const auto& [name, source] : columns->members) {
      if (name.text == column) return fmt::format("{}:{}:{}", file, name.line, name.column);
    }
  }
  return file;
}

// Pointers that no answer of the entity has, as far as the shipped facts tell.
Status CheckPointers(const EntityDef& entity, const Mapping& mapping,
                     const connector::YamlDocument& document, const std::string& file,
                     std::vector<Remark>& remarks) {
  PCW_TRY(const auto shapes, connector::ShapesOf(entity));
  for (const ColumnMapping& column : mapping.columns) {
    std::vector<std::string> pointers = column.pointers;
    if (!column.when_pointer.empty()) pointers.push_back(column.when_pointer);
    for (const std::string& pointer : pointers) {
      std::optional<std::string> why;
      for (const connector::ResponseShape& shape : shapes) {
        if (!column.of.empty() && shape.operation() != column.of) continue;
        std::optional<std::string> unknown = shape.WhyUnknown(pointer);
        if (!unknown) {
          why.reset();
          break;
        }
        // The one with a suggestion says more.
        if (!why || unknown->find("did you mean") != std::string::npos) why = std::move(unknown);
      }
      if (why)
        remarks.push_back({.is_error = false,
                           .location = LocationOf(document, file, column.column),
                           .text = fmt::format("{}: {} (API {})", column.column, *why,
                                               shapes.front().api_version())});
    }
  }
  return Ok{};
}

Status CompareWithTable(pg::Connection& connection, const EntityDef& entity, const Mapping& mapping,
                        const connector::YamlDocument& document, const std::string& file,
                        std::vector<Remark>& remarks, std::stop_token stop) {
  PCW_TRY(const tables::ColumnCheck check, tables::CheckColumns(connection, entity, mapping, stop));
  for (const auto& missing : check.missing)
    remarks.push_back({.is_error = false,
                       .location = LocationOf(document, file, missing.column),
                       .text = fmt::format("{}: {} has no such column; once the file is in "
                                           "connectors.partner_central.mappings `pcw db migrate` "
                                           "adds it: {}",
                                           missing.column, entity.table, missing.statement)});
  for (const std::string& conflict : check.conflicts)
    remarks.push_back(
        {.is_error = true,
         .location = LocationOf(document, file, conflict.substr(0, conflict.find(':'))),
         .text = conflict});
  for (const std::string& column : check.left) {
    PCW_TRY(const std::int64_t rows, tables::CountFilled(connection, entity, column, stop));
    if (rows == 0) continue;
    remarks.push_back(
        {.is_error = false,
         .location = file,
         .text = fmt::format("{}: the mapping does not fill it any more, and {} rows of "
                             "{} have a value there until `pcw bronze reingest "
                             "--entity {}` empties it",
                             column, rows, entity.table, entity.name)});
  }
  return Ok{};
}

class Checking {
 public:
  Checking(const config::Config& config, std::filesystem::path home, std::stop_token stop)
      : config_(config), home_(std::move(home)), stop_(std::move(stop)) {}

  // Looks at the table only if there is one without making it.
  void OpenDatabase() {
    if (config_.database.url.empty() && !std::filesystem::exists(home_ / "pg")) {
      std::fprintf(stderr, "pcw: columns are not compared: there is no database yet\n");
      return;
    }
    Result<std::unique_ptr<wiring::DatabaseAccess>> database =
        wiring::DatabaseAccess::Open(config_, home_, stop_, wiring::OpenMigration::kLeave);
    if (database) {
      database_ = std::move(*database);
      if (auto connection = database_->OpenService(stop_)) {
        connection_.emplace(std::move(*connection));
      } else {
        NoteUnreachable(connection.error());
      }
    } else {
      NoteUnreachable(database.error());
    }
  }

  Status Check(const config::MappingText& text) {
    const Result<Mapping> mapping = connector::ParseMapping(text.yaml, text.file);
    if (!mapping) {
      std::string_view lines = mapping.error().message();
      while (!lines.empty()) {
        const auto end = std::min(lines.find('\n'), lines.size());
        remarks.push_back(
            {.is_error = true, .location = "", .text = std::string(lines.substr(0, end))});
        lines.remove_prefix(std::min(end + 1, lines.size()));
      }
      return Ok{};
    }
    const EntityDef* entity = connector::FindEntity(connector::PartnerCentral(), mapping->entity);
    if (entity == nullptr) {
      remarks.push_back({.is_error = true,
                         .location = text.file,
                         .text = fmt::format("entity: \"{}\" is none of {}", mapping->entity,
                                             fmt::join(connector::EntityNames(), ", "))});
      return Ok{};
    }
    PCW_TRY(const auto document, connector::ParseYaml(text.yaml, text.file));
    if (const auto table = tables::EntityTable::Create(*entity, *mapping); !table)
      remarks.push_back({.is_error = true, .location = text.file, .text = table.error().message()});
    PCW_TRY_OK(CheckPointers(*entity, *mapping, document, text.file, remarks));
    if (connection_)
      PCW_TRY_OK(
          CompareWithTable(*connection_, *entity, *mapping, document, text.file, remarks, stop_));
    return Ok{};
  }

  std::vector<Remark> remarks;

 private:
  static void NoteUnreachable(const Error& error) {
    std::fprintf(stderr, "pcw: columns are not compared with the table: %s\n",
                 error.message().c_str());
  }

  const config::Config& config_;
  std::filesystem::path home_;
  std::stop_token stop_;
  std::unique_ptr<wiring::DatabaseAccess> database_;
  std::optional<pg::Connection> connection_;
};

Result<int> Check(const wiring::Invocation& invocation, const std::vector<std::string>& files) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  std::vector<config::MappingText> texts;
  for (const std::string& file : files) {
    PCW_TRY(std::string yaml, ReadFile(file, 256U << 10U));
    texts.push_back({.yaml = std::move(yaml), .file = file});
  }
  if (files.empty()) {
    for (const EntityDef* entity : connector::AllEntities()) {
      PCW_TRY(config::MappingText text, config::MappingTextFor(loaded.config, entity->name));
      texts.push_back(std::move(text));
    }
  }
  Checking checking(loaded.config, config::HomeDirectory(invocation.environment), invocation.stop);
  checking.OpenDatabase();
  for (const config::MappingText& text : texts) PCW_TRY_OK(checking.Check(text));
  bool has_error = false;
  std::vector<OrderedJson> rows;
  for (const Remark& remark : checking.remarks) {
    has_error = has_error || remark.is_error;
    rows.push_back({{"level", remark.is_error ? "ERROR" : "WARN"},
                    {"place", remark.location},
                    {"text", remark.text}});
  }
  if (invocation.output == wiring::OutputFormat::kTable) {
    for (const Remark& remark : checking.remarks)
      std::printf("%s %s%s%s\n", remark.is_error ? "ERROR" : "WARN", remark.location.c_str(),
                  remark.location.empty() ? "" : " ", ForTerminal(remark.text).c_str());
    std::printf("%zu mappings, %zu remarks; compared with %s\n", texts.size(),
                checking.remarks.size(),
                fmt::format("{}", fmt::join(connector::ShippedApiVersions(), ", ")).c_str());
  } else {
    PrintRows(invocation.output, {}, rows, "");
  }
  return has_error ? kExitFindings : kExitOk;
}

struct TrialArgs {
  std::string file;
  std::size_t samples = 1000;
  bool has_detailed_exit_code = false;
};

struct Trial {
  Mapping mapping;
  const EntityDef* entity = nullptr;
  std::vector<BronzeSample> samples;
};

Result<Trial> OpenTrial(const wiring::Invocation& invocation, const config::Config& config,
                        const TrialArgs& args) {
  Trial trial;
  PCW_TRY(trial.mapping, config::LoadMappingFile(args.file));
  PCW_TRY(trial.entity, EntityNamed(trial.mapping.entity, config));
  wiring::Machine machine;
  PCW_TRY(const auto store, wiring::OpenLake(config, invocation.environment, machine));
  PCW_TRY(trial.samples, NewestSamples(*store, *trial.entity, args.samples, invocation.stop));
  if (trial.samples.empty())
    return Error(
        ErrorCode::kNotFound,
        fmt::format("bronze has no records of {} to try it on; sync it first", trial.entity->name));
  return trial;
}

Result<int> Test(const wiring::Invocation& invocation, const TrialArgs& args) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const Trial trial, OpenTrial(invocation, loaded.config, args));
  const MappingTrial result = TryMapping(trial.mapping, trial.samples);
  std::vector<OrderedJson> columns, letters;
  for (const MappingTrial::Column& column : result.columns)
    columns.push_back({{"column", column.column},
                       {"filled", column.filled},
                       {"null", column.null},
                       {"misfit", column.misfit}});
  for (const MappingTrial::Letter& letter : result.letters)
    letters.push_back({{"id", letter.id},
                       {"error", letter.error},
                       {"bronze_key", letter.bronze_key},
                       {"bronze_line", letter.bronze_line}});
  if (invocation.output == wiring::OutputFormat::kTable) {
    PrintRows(invocation.output,
              {{"column", "COLUMN"},
               {"filled", "FILLED", true},
               {"null", "NULL", true},
               {"misfit", "MISFIT", true}},
              columns, "");
    if (!letters.empty())
      PrintRows(invocation.output, {{"id", "DEAD LETTER"}, {"error", "ERROR"}}, letters, "");
    std::printf("%zu records, %zu of them dead letters\n", trial.samples.size(), letters.size());
  } else {
    PrintObject(invocation.output, {{"entity", trial.entity->name},
                                    {"samples", trial.samples.size()},
                                    {"columns", columns},
                                    {"dead_letters", letters}});
  }
  return letters.empty() ? kExitOk : kExitFindings;
}

// What the mapping in force fills and the other one does not.
std::vector<std::string> LeftColumns(const Mapping& in_force, const Mapping& other) {
  std::vector<std::string> left;
  for (const ColumnMapping& column : in_force.columns) {
    const bool stays =
        std::any_of(other.columns.begin(), other.columns.end(),
                    [&](const ColumnMapping& c) { return c.column == column.column; });
    if (!stays) left.push_back(column.column);
  }
  return left;
}

Result<int> Diff(const wiring::Invocation& invocation, const TrialArgs& args) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const Trial trial, OpenTrial(invocation, loaded.config, args));
  PCW_TRY(const Mapping in_force, config::MappingFor(loaded.config, trial.entity->name));
  const auto differences = CompareMappings(in_force, trial.mapping, trial.samples);
  std::vector<OrderedJson> rows;
  for (const MappingDifference& difference : differences) {
    OrderedJson examples = OrderedJson::array();
    std::string shown;
    for (const auto& example : difference.examples) {
      examples.push_back(
          {{"id", example.id}, {"before", example.before}, {"after", example.after}});
      shown += fmt::format("{}{}: {} -> {}", shown.empty() ? "" : "; ", example.id, example.before,
                           example.after);
    }
    rows.push_back({{"column", difference.column},
                    {"records", difference.records},
                    {"examples", examples},
                    {"shown", shown}});
  }
  const std::vector<std::string> left = LeftColumns(in_force, trial.mapping);
  if (invocation.output == wiring::OutputFormat::kTable) {
    PrintRows(invocation.output,
              {{"column", "COLUMN"}, {"records", "RECORDS", true}, {"shown", "EXAMPLES"}}, rows,
              "no row changes");
    for (const std::string& column : left)
      std::printf(
          "%s leaves the mapping: its values stay until `pcw bronze reingest --entity %s`, "
          "which empties it\n",
          column.c_str(), std::string(trial.entity->name).c_str());
    std::printf("version %d -> %d, %zu records of bronze\n", in_force.version,
                trial.mapping.version, trial.samples.size());
  } else {
    for (OrderedJson& row : rows) row.erase("shown");
    PrintObject(invocation.output, {{"entity", trial.entity->name},
                                    {"version_before", in_force.version},
                                    {"version_after", trial.mapping.version},
                                    {"samples", trial.samples.size()},
                                    {"columns", rows},
                                    {"left", left}});
  }
  if (!differences.empty() && trial.mapping.version == in_force.version)
    std::fprintf(stderr, "pcw: raise version: rows of version %d are not rewritten otherwise\n",
                 in_force.version);
  const bool is_change = !differences.empty() || !left.empty();
  return args.has_detailed_exit_code && is_change ? kExitChanges : kExitOk;
}

}  // namespace

void AddMapping(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("mapping", "How records become rows, as data")->require_subcommand(1);
  auto entity = std::make_shared<std::string>();
  CLI::App* show = AddVerb(*noun, "show", "Print the mapping in force",
                           "  pcw mapping show opportunities > mappings/opportunities.yaml");
  show->add_option("entity", *entity, "whose")
      ->required()
      ->check(KnownValues(connector::EntityNames()));
  show->callback([&invocation, entity] {
    invocation.verb = [&invocation, entity] { return Show(invocation, *entity); };
  });

  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* check = AddVerb(
      *noun, "check",
      "Every mistake at once; pointers against AWS's API, columns against the table; exit 1 for "
      "errors",
      "  pcw mapping check\n  pcw mapping check mappings/*.yaml -o json");
  check->add_option("files", *files, "mappings; without one those in force");
  AddOutputOption(*check, invocation);
  check->callback([&invocation, files] {
    invocation.verb = [&invocation, files] { return Check(invocation, *files); };
  });

  auto args = std::make_shared<TrialArgs>();
  CLI::App* test = AddVerb(*noun, "test",
                           "Try a mapping on the newest records of bronze; exit 1 if any would be "
                           "a dead letter",
                           "  pcw mapping test mappings/leads.yaml --samples 5000");
  CLI::App* diff =
      AddVerb(*noun, "diff",
              "What a mapping would change in the rows, tried on the newest records of bronze",
              "  pcw mapping diff mappings/leads.yaml\n  pcw mapping diff mappings/leads.yaml "
              "--detailed-exitcode   # 2: rows change");
  for (CLI::App* verb : {test, diff}) {
    verb->add_option("file", args->file, "the mapping to try")->required();
    verb->add_option("--samples", args->samples, "how many records")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    AddOutputOption(*verb, invocation);
  }
  diff->add_flag("--detailed-exitcode", args->has_detailed_exit_code, "exit 2 if rows change");
  test->callback([&invocation, args] {
    invocation.verb = [&invocation, args] { return Test(invocation, *args); };
  });
  diff->callback([&invocation, args] {
    invocation.verb = [&invocation, args] { return Diff(invocation, *args); };
  });
}

}  // namespace pcw::cli
