// JSON text written straight into a string: the order and spelling of every byte is the caller's.
#pragma once

#include <string>
#include <string_view>

namespace pcw::sim {

/// How characters beyond ASCII are written; both are legal JSON for the same text.
enum class Escaping { kUtf8, kAscii };

/// Appends members and values, commas included. The answers of the simulator are hashed as bytes,
/// so they are written and never re-serialised. Not thread-safe.
class JsonText {
 public:
  explicit JsonText(std::string& out, Escaping escaping = Escaping::kUtf8)
      : out_(out), escaping_(escaping) {}

  JsonText& Key(std::string_view name);
  JsonText& String(std::string_view text);
  JsonText& Raw(std::string_view json);
  JsonText& Open(char bracket);
  JsonText& Close(char bracket);

  JsonText& Member(std::string_view name, std::string_view text) { return Key(name).String(text); }

 private:
  void Separate();

  std::string& out_;
  Escaping escaping_;
};

}  // namespace pcw::sim
