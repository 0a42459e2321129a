#include "pcw/base/file.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakes/result_matchers.h"
#include "pcw/base/stale_temporaries.h"

namespace pcw {
namespace {

namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pcw-file-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override { fs::remove_all(directory); }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory))
      names.push_back(entry.path().filename().string());
    return names;
  }

  fs::path directory;
};

TEST_F(FileTest, WhatAKilledProcessOfTheSameNumberLeftIsNotInTheWay) {
  // In every container the program has the same number, and counts its files from 1.
  const fs::path temporaries = directory / ".tmp";
  fs::create_directory(temporaries);
  for (int serial = 1; serial <= 50; ++serial) {
    const fs::path left = temporaries / fmt::format(".a.{}.{}.tmp", ::getpid(), serial);
    ASSERT_THAT(WriteFileDurably(left, "half", IfExists::kFail), Succeeds());
  }

  for (int i = 0; i < 5; ++i)
    EXPECT_THAT(WriteFileDurably(directory / "a", "x", IfExists::kReplace, temporaries),
                Succeeds());
}

TEST_F(FileTest, StaleTemporariesGoAndOthersStay) {
  const auto age = std::chrono::hours(1);
  const auto make = [&](const std::string& name, std::chrono::minutes ago) {
    ASSERT_THAT(WriteFileDurably(directory / name, "x", IfExists::kFail), Succeeds());
    fs::last_write_time(directory / name, fs::last_write_time(directory / name) - ago);
  };
  make(".data.json.1.1.tmp", std::chrono::minutes(61));
  make(".data.json.1.2.tmp", std::chrono::minutes(50));
  make("data.json", std::chrono::minutes(600));
  make(".hidden", std::chrono::minutes(600));
  fs::create_symlink(directory / "data.json", directory / ".link.tmp");

  EXPECT_EQ(RemoveStaleTemporaries(directory, age), 1);

  std::vector<std::string> names = Names();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names,
            (std::vector<std::string>{".data.json.1.2.tmp", ".hidden", ".link.tmp", "data.json"}));
  EXPECT_EQ(RemoveStaleTemporaries(directory / "absent", age), 0);
}

TEST_F(FileTest, AFaultOfTheMachineIsNotOneOfTheConfiguration) {
  // Nothing is mapped at address 0, so the kernel answers EIO, as it does for a damaged disk.
  const auto damaged = ReadFile("/proc/self/mem", 1U << 20U);
  ASSERT_THAT(damaged, FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(damaged.error().Is(ErrorMark::kOfOneObject)) << "its neighbours are readable";

  ASSERT_THAT(WriteFileDurably(directory / "a", "x", IfExists::kFail), Succeeds());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto without_descriptors = ReadFile(directory / "a", 10);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_THAT(without_descriptors, FailsWith(ErrorCode::kUnavailable));
  EXPECT_FALSE(without_descriptors.error().Is(ErrorMark::kOfOneObject));

  EXPECT_THAT(ReadFile(directory, 10), FailsWith(ErrorCode::kConfig)) << "a directory";
  EXPECT_THAT(ReadFile(directory / "absent", 10), FailsWith(ErrorCode::kNotFound));
}

TEST_F(FileTest, WrittenFileIsReadBackAndNothingElseStays) {
  const std::string content("a\0b\xff\n", 5);

  ASSERT_THAT(WriteFileDurably(directory / "x", content, IfExists::kFail), Succeeds());

  EXPECT_EQ(*ReadFile(directory / "x", 100), content);
  EXPECT_THAT(Names(), testing::ElementsAre("x"));
}

TEST_F(FileTest, EmptyFileIsWritten) {
  ASSERT_THAT(WriteFileDurably(directory / "x", "", IfExists::kReplace), Succeeds());

  EXPECT_EQ(*ReadFile(directory / "x", 0), "");
}

TEST_F(FileTest, MissingParentsAreMade) {
  ASSERT_THAT(WriteFileDurably(directory / "a/b/c/x", "1", IfExists::kFail), Succeeds());

  EXPECT_EQ(*ReadFile(directory / "a/b/c/x", 10), "1");
}

TEST_F(FileTest, ReplaceReplaces) {
  ASSERT_THAT(WriteFileDurably(directory / "x", "old", IfExists::kReplace), Succeeds());
  ASSERT_THAT(WriteFileDurably(directory / "x", "new", IfExists::kReplace), Succeeds());

  EXPECT_EQ(*ReadFile(directory / "x", 10), "new");
  EXPECT_THAT(Names(), testing::ElementsAre("x"));
}

TEST_F(FileTest, ExistingFileIsAConflictAndStaysUntouched) {
  ASSERT_THAT(WriteFileDurably(directory / "x", "first", IfExists::kFail), Succeeds());

  EXPECT_THAT(WriteFileDurably(directory / "x", "second", IfExists::kFail),
              FailsWith(ErrorCode::kConflict));

  EXPECT_EQ(*ReadFile(directory / "x", 10), "first");
  EXPECT_THAT(Names(), testing::ElementsAre("x"));
}

TEST_F(FileTest, UnwritableDirectoryIsNamedWithReasonAndAdvice) {
  ASSERT_EQ(::chmod(directory.c_str(), 0555), 0);
  // Root may write anywhere; as another file-system user of this thread it may not.
  const int before = ::setfsuid(65534);

  const Status written = WriteFileDurably(directory / "x", "1", IfExists::kReplace);

  ::setfsuid(static_cast<uid_t>(before));
  ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
  ASSERT_THAT(written, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(written.error().message(),
              testing::AllOf(testing::HasSubstr((directory / "x").string()),
                             testing::HasSubstr("Permission denied"),
                             testing::HasSubstr("check the owner and mode")));
}

TEST_F(FileTest, ParentThatIsAFileIsReported) {
  ASSERT_THAT(WriteFileDurably(directory / "file", "1", IfExists::kFail), Succeeds());

  const Status written = WriteFileDurably(directory / "file/x", "2", IfExists::kFail);

  ASSERT_THAT(written, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(written.error().message(), testing::HasSubstr("Not a directory"));
}

TEST_F(FileTest, DirectoryInTheWayIsReportedAndNoTemporaryStays) {
  ASSERT_TRUE(fs::create_directory(directory / "x"));

  EXPECT_THAT(WriteFileDurably(directory / "x", "1", IfExists::kReplace),
              FailsWith(ErrorCode::kUnavailable));

  EXPECT_THAT(Names(), testing::ElementsAre("x"));
}

TEST_F(FileTest, AbsentFileIsNotFound) {
  EXPECT_THAT(ReadFile(directory / "absent", 10), FailsWith(ErrorCode::kNotFound));
}

TEST_F(FileTest, FileAboveTheLimitIsRefused) {
  ASSERT_THAT(WriteFileDurably(directory / "x", "12345", IfExists::kFail), Succeeds());

  EXPECT_EQ(*ReadFile(directory / "x", 5), "12345");
  EXPECT_THAT(ReadFile(directory / "x", 4), FailsWith(ErrorCode::kConfig));
}

TEST_F(FileTest, FifoDirectoryAndDeviceAreRefusedWithoutWaiting) {
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);

  EXPECT_THAT(ReadFile(directory / "fifo", 10), FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(ReadFile(directory, 10), FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(ReadFile("/dev/zero", 10), FailsWith(ErrorCode::kConfig));
}

}  // namespace
}  // namespace pcw
