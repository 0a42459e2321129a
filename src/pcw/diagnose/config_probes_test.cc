#include "pcw/diagnose/config_probes.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sts.h"

namespace pcw::diagnose {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigProbesTest : public ::testing::Test {
 protected:
  ConfigProbesTest() {
    char name[] = "/tmp/pcw-probes-XXXXXX";
    home = ::mkdtemp(name);
    subject.environment["HOME"] = home.string();
    subject.region = "eu-central-1";
    subject.services = {&aws::partner_central_selling::kService, &aws::sts::kService};
  }
  ~ConfigProbesTest() override { std::filesystem::remove_all(home); }

  std::filesystem::path home;
  ConfigSubject subject;
};

TEST_F(ConfigProbesTest, NothingIsSaidOfWhatIsWell) {
  subject.writable = {{"lake.url", home / "not/yet/there"}};
  subject.more = {{"server.listen", [] { return Status(Ok{}); }}};
  EXPECT_THAT(FindConfigProblems(subject), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(home / "not")) << "looking makes nothing";
}

TEST_F(ConfigProbesTest, EveryProblemIsALineAndOneCauseIsOne) {
  std::ofstream(home / "file") << "x";
  subject.environment["AWS_ENDPOINT_URL"] = "http://10.0.0.1";
  subject.environment["AWS_PROFILE"] = "nobody";
  subject.environment["AWS_CA_BUNDLE"] = (home / "absent.pem").string();
  subject.writable = {{"lake.url", home / "file/lake"}};
  subject.more = {{"server.listen", [] { return Status(Error(ErrorCode::kConfig, "no port")); }}};

  EXPECT_THAT(
      FindConfigProblems(subject),
      ElementsAre(HasSubstr("AWS_ENDPOINT_URL is http://10.0.0.1: plain http"),
                  HasSubstr("AWS_PROFILE: there is no profile nobody"),
                  HasSubstr("absent.pem cannot be read"),
                  HasSubstr("lake.url: " + (home / "file/lake").string() + " cannot be written"),
                  "server.listen: no port"));
}

TEST_F(ConfigProbesTest, ProfileFilesThatCannotBeReadAreNamedWithTheirLine) {
  subject.environment["AWS_CONFIG_FILE"] = (home / "config").string();
  std::ofstream(home / "config") << "[default]\nbroken\n";
  EXPECT_THAT(FindConfigProblems(subject),
              ElementsAre(HasSubstr("config:2: expected key = value")));
}

}  // namespace
}  // namespace pcw::diagnose
