// A part of a run's bronze: JSON Lines, one record a line, the payload byte for byte
// (docs/bronze.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/digest.h"
#include "pcw/base/result.h"

namespace pcw::lake {

/// What stands in `meta` beside a payload.
struct RecordMeta {
  std::string id;         ///< the record's natural key
  std::string operation;  ///< "GetOpportunity"
  std::string request_id;
  std::string fetched_at;    ///< RFC 3339, the database's clock
  std::string served_at;     ///< RFC 3339, AWS's Date header; fetched_at if it sent none
  std::string version;       ///< as listed, verbatim; empty = the list gave none
  std::string source;        ///< "get" or "list"
  int index = -1;            ///< position in the page, for source "list"
  Sha256Digest sha256{};     ///< of the original payload bytes
  bool is_respaced = false;  ///< raw line breaks between tokens became spaces
  /// An operator had it fetched to replace what is held, even by an earlier date (`accept_older`).
  bool accepts_older = false;
};

/// A second answer that belongs to a record: `"companion":{"meta":{...},"payload":...}` behind the
/// payload. Then meta.size tells where the payload ends.
struct CompanionMeta {
  std::string operation;
  std::string request_id;
  std::string fetched_at;
  Sha256Digest sha256{};
  bool is_respaced = false;
};

/// A span of a part's text.
struct Stored {
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// Where an appended record stands, and the digests of its original bytes.
struct AppendedLine {
  int line = 0;  ///< from 1
  Stored payload;
  Sha256Digest sha256{};
  Stored companion{};  ///< size 0 = none
  Sha256Digest companion_sha256{};
  /// Why one of the two is not well-formed JSON (WhyMalformed); empty if both are. What is
  /// malformed stands in the line in base64, and its span is that of a null.
  std::string malformed{};
};

/// Appends the bytes that every line of that record begins with: what to search bronze for.
void AppendLineStart(std::string& out, std::string_view id);

/// What is known of a payload's bytes: nothing, or that they are well-formed JSON (WhyMalformed).
enum class Form { kUnknown, kGood };

/// Builds one part in memory. Not thread-safe.
class PartBuilder {
 public:
  /// Takes room for a part of that size at once; grown piece by piece, it ends up twice its size.
  void Reserve(std::size_t bytes) { text_.reserve(bytes); }
  /// Appends one line, whatever the payload is: every line is JSON that every reader takes. Raw
  /// line breaks in a payload become spaces and meta says so. One that is not well-formed JSON in
  /// UTF-8 becomes `"payload":null,"payload_base64":"..."`, and meta.malformed says why. Texts of
  /// meta that are not UTF-8 are escaped. Computes meta.sha256, of the original bytes.
  /// `form` says whether somebody has read the payload already.
  AppendedLine Append(RecordMeta meta, std::string_view payload, Form form = Form::kUnknown);
  /// The same with a companion.
  AppendedLine Append(RecordMeta meta, std::string_view payload, CompanionMeta companion,
                      std::string_view companion_payload, Form form = Form::kUnknown);

  std::size_t bytes() const { return text_.size(); }
  int records() const { return records_; }
  std::string_view text() const { return text_; }
  /// A stored payload of this part; valid until the part changes.
  std::string_view at(const Stored& stored) const {
    return std::string_view(text_).substr(stored.offset, stored.size);
  }

 private:
  Stored AppendAnswer(std::string_view payload, std::string_view malformed, bool is_respaced);

  std::string text_;
  int records_ = 0;
};

/// One part in a manifest.
struct ManifestPart {
  std::string key;
  std::string sha256;  ///< hex, of the object's bytes
  std::uint64_t bytes = 0;
  int records = 0;
};

/// One list page in a manifest: bodies are not stored, their ids, counts and request ids are.
struct ManifestPage {
  std::string request_id;
  int items = 0;
  std::string first_id;
  std::string last_id;
};

/// manifest.json, written last: a run folder without it is a run that did not finish.
struct Manifest {
  std::string run_id;
  std::string connector;
  std::string entity;
  std::string mode;
  std::string catalog;
  std::string started_at;  ///< the database's clock
  std::string ended_at;
  std::string served_from;  ///< AWS's Date of the first answer in its parts; empty = no parts
  int mapping_version = 0;
  std::string watermark_before;
  std::string watermark_after;
  std::vector<ManifestPart> parts;
  std::vector<ManifestPage> pages;
};

std::string FormatManifest(const Manifest& manifest);
Result<Manifest> ParseManifest(std::string_view text);

}  // namespace pcw::lake
