// What a fuzz target is: a function that takes any bytes and must neither crash nor break what it
// asserts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pcw::fuzz {

using Target = void (*)(std::string_view input);

/// Makes a target known by its name to the replay of the corpus (replay_main.cc).
struct Registration {
  Registration(std::string_view name, Target target);
};

}  // namespace pcw::fuzz

// PCW_FUZZ_TARGET(name) { ... } defines the target of tests/fuzz/corpus/<name>; its body sees
// `input`. A program of libFuzzer has one target, the replay has all of them.
#define PCW_FUZZ_TARGET(name)                      \
  static void Fuzz_##name(std::string_view input); \
  PCW_FUZZ_ENTRY(name)                             \
  static void Fuzz_##name(std::string_view input)

#if defined(PCW_FUZZ)
#define PCW_FUZZ_ENTRY(name)                                                          \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    Fuzz_##name({reinterpret_cast<const char*>(data), size});                         \
    return 0;                                                                         \
  }
#else
#define PCW_FUZZ_ENTRY(name) \
  static const ::pcw::fuzz::Registration registration_of_##name(#name, Fuzz_##name);
#endif
