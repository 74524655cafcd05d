"""What Doxygen gets to read of a header."""

import unittest

import headers

HEADER = """\
// Thing: what this file is about.

#ifndef A_H_
#define A_H_

namespace isolates {

namespace internal {
// Nobody's business.
struct Hidden {};
}  // namespace internal

class Other;

class Thing {
 public:
  using Value = int;

  Thing(Thing&&) noexcept = default;
  Thing& operator=(const Thing&) = delete;
  ~Thing() { Drop({1, 2}); }

  // Takes a list<int>, `a<b>` or 50 % of it:
  //   thing.Take({1, 2});
  // and more.
  template <class T>
    requires(sizeof(T) > 1)
  void Take(std::initializer_list<T> list);
  template <class T>
  void Take(T one) {
    if (one > 0) Take({one});
  }

  int take_count() const noexcept { return count_; }
  bool is_open() const { return true; }

  int Undocumented(int value, std::vector<int> list = {}, int more = int{1} << 3);

  // Whether it is loud.
  bool loud() const;
  void set_loud(bool loud);

 private:
  friend class Other;
  // Private words.
  int count_ = 0;
};

enum class Kind {
  kOne,  // the first, of which
         // there is more
  kTwo   // the second
};

template <>
struct TransferTraits<Thing> : internal::HandleTraits {};

}  // namespace isolates

#endif  // A_H_
"""


class HeaderTest(unittest.TestCase):
    def setUp(self):
        self.text = headers.convert(HEADER)
        self.lines = [line.strip() for line in self.text.split("\n")]

    def doc_of(self, start):
        """The documentation before the line that begins so."""
        at = next(i for i, line in enumerate(self.lines) if line.startswith(start))
        doc = []
        while self.lines[at - 1].startswith("///"):
            at -= 1
            doc.insert(0, self.lines[at][4:])
        return doc

    def test_the_head_is_of_the_file_and_of_what_it_names(self):
        self.assertEqual(self.lines[:2], ["/// @file", "/// Thing: what this file is about."])
        self.assertEqual(self.doc_of("class Thing {"), ["Thing: what this file is about."])

    def test_words_are_no_commands_and_examples_are_code(self):
        self.assertEqual(self.doc_of("template <class T>"),
                         ["Takes a list\\<int\\>, `a<b>` or 50 \\% of it:", "@code{.cpp}",
                          "  thing.Take({1, 2});", "@endcode", "and more."])

    def test_overloads_share_a_comment(self):
        self.assertEqual(self.text.count("and more."), 2)

    def test_a_setter_shares_that_of_its_getter(self):
        self.assertEqual(self.doc_of("void set_loud"), ["Whether it is loud."])

    def test_names_that_say_all(self):
        self.assertEqual(self.doc_of("int take_count()"), ["The take count."])
        self.assertEqual(self.doc_of("bool is_open()"), ["Whether it is open."])
        self.assertEqual(self.doc_of("using Value"), ["The type of the value."])

    def test_what_is_not_documented_stays_so(self):
        self.assertEqual(self.doc_of("int Undocumented"), [])
        self.assertEqual([text for _, text in headers.undocumented(HEADER)],
                         ["enum class Kind"])

    def test_enumerators(self):
        self.assertEqual(self.doc_of("kOne"), ["the first, of which", "there is more"])
        self.assertEqual(self.doc_of("kTwo"), ["the second"])

    def test_what_nobody_names_is_left_out(self):
        for word in ("Hidden", "TransferTraits", "operator=", "~Thing", "count_ = 0", "friend",
                     "class Other"):
            self.assertNotIn(word, self.text)

    def test_lines_are_found_again(self):
        number = self.text.split("int Undocumented")[0].count("\n") + 1
        line = headers.origin(HEADER, number)
        self.assertIn("int Undocumented", HEADER.split("\n")[line - 1])


if __name__ == "__main__":
    unittest.main()
