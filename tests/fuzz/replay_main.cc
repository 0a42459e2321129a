// Runs every target over its corpus, without libFuzzer: what was found once stays found with any
// compiler. Usage: pcw_fuzz_corpus DIRECTORY; prints "N inputs of M targets" at the end.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

#include "fuzz/target.h"

namespace pcw::fuzz {
namespace {

std::map<std::string_view, Target>& Targets() {
  static std::map<std::string_view, Target> targets;
  return targets;
}

// The number of inputs in the directory; 0 if it cannot be read.
int Replay(Target target, const std::filesystem::path& directory) {
  int inputs = 0;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(directory, problem)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      std::cerr << entry.path() << " cannot be read\n";
      return 0;
    }
    // Said before, so that the log of a crash ends with the input that caused it.
    std::cout << entry.path().string() << std::endl;
    target(input);
    ++inputs;
  }
  return inputs;
}

int ReplayAll(const std::filesystem::path& corpus) {
  int inputs = 0;
  for (const auto& [name, target] : Targets()) {
    const int replayed = Replay(target, corpus / name);
    if (replayed == 0) {
      std::cerr << "target " << name << " has no input in " << corpus << "\n";
      return 1;
    }
    inputs += replayed;
  }
  std::cout << inputs << " inputs of " << Targets().size() << " targets\n";
  return inputs > 0 ? 0 : 1;
}

}  // namespace

Registration::Registration(std::string_view name, Target target) { Targets()[name] = target; }

}  // namespace pcw::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: pcw_fuzz_corpus DIRECTORY\n";
    return 64;
  }
  return pcw::fuzz::ReplayAll(argv[1]);
}
