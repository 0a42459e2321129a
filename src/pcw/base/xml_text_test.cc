#include "pcw/base/xml_text.h"

#include <gtest/gtest.h>

namespace pcw {
namespace {

TEST(XmlEscapeTest, LeavesNothingThatEndsATextOrAnAttribute) {
  EXPECT_EQ(XmlEscape("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c'");
  EXPECT_EQ(XmlEscape("&amp;"), "&amp;amp;");
}

}  // namespace
}  // namespace pcw
