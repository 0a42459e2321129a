#include "pcw/config/home.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakes/result_matchers.h"

namespace pcw::config {
namespace {

namespace fs = std::filesystem;

class HomeTest : public ::testing::Test {
 protected:
  HomeTest() : root(::testing::TempDir() + "pcw-home-" + std::to_string(::getpid())) {
    fs::remove_all(root);
    fs::create_directories(root);
    umask_ = ::umask(022);
  }
  ~HomeTest() override {
    ::umask(umask_);
    fs::remove_all(root);
  }
  static mode_t ModeOf(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  }

  const fs::path root;

 private:
  mode_t umask_;
};

TEST_F(HomeTest, ANewHomeIsItsOwnersAloneWhateverTheUmask) {
  for (const mode_t mask : {000, 022, 077, 0277}) {
    ::umask(mask);
    const fs::path home = root / std::to_string(mask);
    EXPECT_THAT(MakeHome(home), Succeeds());
    EXPECT_EQ(ModeOf(home), 0700U) << mask;
  }
}

TEST_F(HomeTest, AnOldHomeLosesWhatOthersCouldReadAndKeepsWhoMayPass) {
  const fs::path home = root / "home";
  fs::create_directory(home);
  ::chmod(home.c_str(), 0755);
  EXPECT_THAT(MakeHome(home), Succeeds());
  EXPECT_EQ(ModeOf(home), 0711U);
}

TEST_F(HomeTest, AFileInItsPlaceIsAConfigError) {
  const fs::path home = root / "file";
  std::ofstream(home) << "x";
  EXPECT_THAT(MakeHome(home), FailsWith(ErrorCode::kConfig));
}

TEST_F(HomeTest, NothingThatSaysWhereIsAConfigErrorForWhoIsNotRoot) {
  EXPECT_THAT(CheckHome({{"PCW_HOME", "/srv/pcw"}}), Succeeds());
  EXPECT_THAT(CheckHome({{"HOME", "/home/ann"}}), Succeeds());
  if (::geteuid() == 0) {
    EXPECT_EQ(HomeDirectory({}), fs::path("/var/lib/pcw"));
  } else {
    EXPECT_EQ(HomeDirectory({}), fs::path());
    EXPECT_THAT(CheckHome({{"PATH", "/bin"}, {"HOME", ""}}), FailsWith(ErrorCode::kConfig));
  }
}

TEST_F(HomeTest, ASecretsFileIsReadableByItsOwnerAlone) {
  ::umask(0);
  const fs::path path = root / "token";
  std::ofstream(path) << "an earlier and longer one";
  ::chmod(path.c_str(), 0644);
  ASSERT_THAT(WriteSecretFile(path, "secret\n"), Succeeds());
  EXPECT_EQ(ModeOf(path), 0600U);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "secret\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(root), {}), 1) << "nothing is left beside it";
}

TEST_F(HomeTest, ASecretThatCannotBeWrittenSaysWhy) {
  const Status written = WriteSecretFile(root / "absent" / "token", "secret");
  ASSERT_THAT(written, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(written.error().message(), ::testing::HasSubstr("No such file"));
}

}  // namespace
}  // namespace pcw::config
