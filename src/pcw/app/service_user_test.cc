#include "pcw/app/service_user.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace pcw::app {
namespace {

namespace fs = std::filesystem;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ParseEnvironmentFileTest, ReadsWhatSystemdReads) {
  EXPECT_THAT(ParseEnvironmentFile("# comment\n; another\n\nPCW_A=1\n PCW_B = \"two words\" "
                                   "\nPCW_C='3'\n=none\nnothing\nPCW_D=a=b"),
              UnorderedElementsAre(Pair("PCW_A", "1"), Pair("PCW_B", "two words"),
                                   Pair("PCW_C", "3"), Pair("PCW_D", "a=b")));
}

class AddServiceEnvironmentTest : public ::testing::Test {
 protected:
  AddServiceEnvironmentTest() {
    char name[] = "/tmp/pcw-service-XXXXXX";
    directory = ::mkdtemp(name);
    fs::create_directory(directory / "state");
    if (::geteuid() == 0) {
      // As the package leaves it: of a user of its own.
      EXPECT_EQ(::chown((directory / "state").c_str(), 65534, 65534), 0);
    }
    std::ofstream(directory / "settings")
        << "PCW_TEST_SETTING=from the unit\nPCW_TEST_OTHER=unit\n";
  }
  ~AddServiceEnvironmentTest() override {
    for (const char* variable : {"PCW_HOME", "PCW_TEST_SETTING", "PCW_TEST_OTHER"})
      ::unsetenv(variable);
    fs::remove_all(directory);
  }

  fs::path directory;
  ServiceLocations locations() const { return {directory / "state", directory / "settings"}; }
};

TEST_F(AddServiceEnvironmentTest, WhoWorksOnTheServicesStateHasItsSettings) {
  std::map<std::string, std::string> environment{{"PCW_TEST_OTHER", "mine"}};

  AddServiceEnvironment(environment, locations());

  EXPECT_THAT(environment, UnorderedElementsAre(Pair("PCW_HOME", (directory / "state").string()),
                                                Pair("PCW_TEST_SETTING", "from the unit"),
                                                Pair("PCW_TEST_OTHER", "mine")));
}

TEST_F(AddServiceEnvironmentTest, AnotherHomeIsNoneOfTheServices) {
  std::map<std::string, std::string> environment{{"PCW_HOME", "/tmp/elsewhere"}};

  AddServiceEnvironment(environment, locations());

  EXPECT_THAT(environment, UnorderedElementsAre(Pair("PCW_HOME", "/tmp/elsewhere")));
}

TEST_F(AddServiceEnvironmentTest, WithoutAnInstalledServiceNothingChanges) {
  std::map<std::string, std::string> environment;

  AddServiceEnvironment(environment, {directory / "none", directory / "settings"});

  EXPECT_TRUE(environment.empty());
}

}  // namespace
}  // namespace pcw::app
