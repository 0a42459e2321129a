// What one object that cannot be read does to the proof of the others.
#include "pcw/lake/verify.h"

#include <csignal>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "fakes/result_matchers.h"
#include "fakes/s3_bucket.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/part.h"
#include "pcw/lake/s3_store.h"

namespace pcw::lake {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A lake whose objects can be made unreadable one by one.
class SpoiltStore final : public BronzeStore {
 public:
  explicit SpoiltStore(fs::path root) : store_(std::move(root)) {}
  Status Put(std::string_view key, std::string_view content, std::stop_token stop) override {
    return store_.Put(key, content, std::move(stop));
  }
  Result<std::string> Get(std::string_view key, std::stop_token stop) override {
    const auto spoilt = errors.find(std::string(key));
    if (spoilt != errors.end()) return spoilt->second;
    return store_.Get(key, std::move(stop));
  }
  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::stop_token stop) override {
    return store_.List(prefix, std::move(stop));
  }
  Status Probe(std::stop_token stop) override { return store_.Probe(std::move(stop)); }
  std::string Describe() const override { return store_.Describe(); }

  std::map<std::string, Error> errors;

 private:
  DirectoryBronzeStore store_;
};

class VerifyTest : public ::testing::Test {
 protected:
  static fs::path MakeRoot() {
    char name[] = "/tmp/pcw-verify-XXXXXX";
    return ::mkdtemp(name);
  }
  ~VerifyTest() override { fs::remove_all(root); }

  static std::string Run(int number) {
    return fmt::format("bronze/partnercentral/opportunities/2026/11/23/run-{}/", number);
  }
  void PutRun(int number) {
    PartBuilder part;
    RecordMeta meta;
    meta.id = "O1";
    meta.operation = "GetOpportunity";
    meta.source = "get";
    part.Append(meta, R"({"Id":"O1"})");
    ASSERT_THAT(store.Put(PartKey(Run(number), 1), part.text(), {}), Succeeds());
    Manifest manifest;
    manifest.run_id = "r";
    manifest.parts = {{PartKey(Run(number), 1), Sha256Hex(part.text()), part.text().size(), 1}};
    ASSERT_THAT(store.Put(ManifestKey(Run(number)), FormatManifest(manifest), {}), Succeeds());
  }

  const fs::path root = MakeRoot();
  SpoiltStore store{root};
};

TEST_F(VerifyTest, ObjectsThatCannotBeReadAreProblemsAndTheRestIsProved) {
  for (int number = 1; number <= 4; ++number) PutRun(number);
  store.errors.emplace(PartKey(Run(1), 1),
                       Error(ErrorCode::kInvalidRequest, "the object is archived: restore it"));
  store.errors.emplace(PartKey(Run(2), 1),
                       Error(ErrorCode::kPermissionDenied, "allow kms:Decrypt"));
  store.errors.emplace(PartKey(Run(3), 1), Error(ErrorCode::kNotFound, "no such key"));
  store.errors.emplace(ManifestKey(Run(3)), Error(ErrorCode::kInvalidRequest, "archived too"));

  const auto report = VerifyBronze(store, "bronze/", {});

  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->parts, 1) << "of run 4";
  ASSERT_EQ(report->problems.size(), 4U);
  EXPECT_EQ(report->problems[0].what, "the object is archived: restore it");
  EXPECT_EQ(report->problems[1].what, "allow kms:Decrypt");
  EXPECT_EQ(report->problems[2].what, "archived too");
  EXPECT_THAT(report->problems[3].what, HasSubstr("is gone since"));
}

TEST_F(VerifyTest, ALakeThatIsOutOfReachIsNoProblemOfAnObject) {
  PutRun(1);
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kTimeout,
                               ErrorCode::kUnauthenticated, ErrorCode::kThrottled}) {
    store.errors.clear();
    store.errors.emplace(PartKey(Run(1), 1), Error(code, "away"));
    EXPECT_THAT(VerifyBronze(store, "bronze/", {}), FailsWith(code));
  }
}

TEST_F(VerifyTest, WithoutAnyRightToReadItIsTheRightThatIsTold) {
  PutRun(1);
  for (const std::string& key : {PartKey(Run(1), 1), ManifestKey(Run(1))})
    store.errors.emplace(key, Error(ErrorCode::kPermissionDenied, "allow s3:GetObject"));

  EXPECT_THAT(VerifyBronze(store, "bronze/", {}), FailsWith(ErrorCode::kPermissionDenied));
}

TEST(CheckRoomTest, AFullDiskIsToldBeforeTheFirstCallAndNothingStays) {
  char name[] = "/tmp/pcw-room-XXXXXX";
  const fs::path root = ::mkdtemp(name);
  DirectoryBronzeStore store(root / "lake");
  EXPECT_THAT(store.CheckRoom({}), Succeeds());
  // A limit on the size of files stands for a disk without space: both end a write half-way.
  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 512U << 10U;
  ::setrlimit(RLIMIT_FSIZE, &small);

  const Status full = store.CheckRoom({});

  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(full, FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(fs::is_empty(root / "lake" / ".tmp")) << "what was written is removed";
  fs::remove_all(root);
}

}  // namespace
}  // namespace pcw::lake
