#include "pcw/config/suggest.h"

#include <gtest/gtest.h>

namespace pcw::config {
namespace {

TEST(WithGlobalsTest, EveryCommandCarriesTenantAndConfiguration) {
  const CommandGlobals globals{.config_file = "prod.yaml", .settings = {}, .tenant = "acme"};

  EXPECT_EQ(
      WithGlobals("there is no run x; `pcw runs list` shows the runs, pcw doctor more", globals),
      "there is no run x; `pcw --config prod.yaml --tenant acme runs list` shows the runs, "
      "pcw --config prod.yaml --tenant acme doctor more");
}

TEST(WithGlobalsTest, ProseAndOtherProgramsStayAsTheyAre) {
  const CommandGlobals globals{.config_file = "", .settings = {}, .tenant = "acme"};

  for (const char* text : {"pcw makes no bucket", "/usr/bin/pcw runs list", "my-pcw runs list",
                           "systemctl restart pcw", "this pcw needs 5: use a newer pcw"})
    EXPECT_EQ(WithGlobals(text, globals), text);
}

TEST(WithGlobalsTest, WithoutGlobalsNothingChanges) {
  EXPECT_EQ(WithGlobals("pcw runs list", {.config_file = "", .settings = {}, .tenant = "default"}),
            "pcw runs list");
}

TEST(WithGlobalsTest, WhatAShellWouldSplitIsQuoted) {
  EXPECT_EQ(WithGlobals("pcw serve", {.config_file = "my file.yaml",
                                      .settings = {"environment=it's"},
                                      .tenant = "acme"}),
            "pcw --config 'my file.yaml' --set 'environment=it'\\''s' serve");
}

TEST(WithGlobalsTest, ASettingThatMayLetSomebodyInIsNamedWithoutItsValue) {
  EXPECT_EQ(WithGlobals("pcw runs list",
                        {.config_file = "",
                         .settings = {"database.url=postgresql://u:p@h/d", "sync.lag=1s"},
                         .tenant = "default"}),
            "pcw --set database.url=... --set sync.lag=1s runs list");
}

}  // namespace
}  // namespace pcw::config
