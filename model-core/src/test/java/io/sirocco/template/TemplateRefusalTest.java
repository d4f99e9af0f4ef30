package io.sirocco.template;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.checkpoint.ModelException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is outside of the language is refused by name when the template is parsed. */
class TemplateRefusalTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '§',
      textBlock =
          """
          {% macro f() %}{% endmacro %}          § the tag 'macro' is not known
          {% raw %}{{ x }}{% endraw %}           § the tag 'raw' is not known
          {% generation %}                       § the tag 'generation' is not known
          {% break %}                            § the tag 'break' is not known
          {% for x in y %}{% else %}{% endfor %} § 'else' of a 'for' is not known
          {% endif %}                            § the tag 'endif' has no beginning here
          {% if x %}                             § found the end of the template
          {% if x %}{% endfor %}                 § the tag 'endfor' has no beginning here
          {% set x %}y{% endset %}               § expected '='
          {% set x, y = z %}                     § expected '='
          {% set loop = 1 %}                     § 'loop' cannot be set
          {% for true in x %}{% endfor %}        § 'true' cannot be set
          {% for x in y recursive %}{% endfor %} § found 'recursive'
          {{ x|upper }}                          § the filter 'upper' is not known
          {{ x|tojson(indent=4) }}               § an argument of the filter 'tojson'
          {{ x|trim('a') }}                      § an argument of the filter 'trim'
          {{ x|selectattr('a', 'ne', 1) }}       § with the test 'ne' is not known
          {{ x|selectattr('a.b', 'equalto', 1) }} § with a plain name
          {{ x|selectattr('a') }}                § found ')', expected ','
          {{ x is mapping }}                     § the test 'mapping' is not known
          {{ x is defined(1) }}                  § after 'is defined'
          {{ x is none is string }}              § after 'is none'
          {{ range(3) }}                         § the function 'range' is not known
          {{ strftime_now }}                     § 'strftime_now' of Jinja is not known here
          {{ raise_exception }}                  § found the end of the tag, expected '('
          {{ namespace(1) }}                     § found '1', expected a name
          {{ x.strip() }}                        § the method 'strip' with what follows is not known
          {{ x.items(1) }}                       § the method 'items' with what follows is not known
          {{ x.keys }}                           § '.keys' is a method of Python's dict
          {{ x['a']() }}                         § a call of this is not known
          {{ x[::2] }}                           § a slice's step is not known
          {{ [1] }}                              § found '[', expected a value
          {{ {'a': 1} }}                         § found '{', expected a value
          {{ x - y }}                            § found '-', expected the end of the tag
          {{ x ~ y }}                            § found '~', expected the end of the tag
          {{ x < y }}                            § found '<', expected the end of the tag
          {{ x in y }}                           § found 'in', expected the end of the tag
          {{ x if y }}                           § found 'if', expected the end of the tag
          {{ x, y }}                             § found ',', expected the end of the tag
          {{ '%s' % x }}                         § '%' of a string is not known
          {{ }}                                  § found the end of the tag, expected a value
          {{ x                                   § the tag is not closed; expected '}}'
          {% x                                   § the tag is not closed; expected '%}'
          {# x                                   § the comment is not closed
          {{ 'x }}                               § the string is not closed
          {{ '\\N{DIGIT ONE}' }}                 § the escape '\\N' is not known
          {{ '\\ud83d\\ude00' }}                 § the escape does not stand for a character
          {{ '\\x4' }}                           § the escape has fewer than 2 digits
          {{ 0x10 }}                             § not a number
          {{ 1_000 }}                            § not a number
          {{ x & y }}                            § unexpected character '&'
          {{ naïve }}                            § unexpected character 'ï'
          {%+ if x %}                            § '{%+' is not known
          {{ x +}}                               § '+}}' is not known
          {# x +#}                               § '+#}' is not known
          {% for x in y %}{{ loop }}{% endfor %} § 'loop' by itself is not known
          {% for x in y %}{{ loop.length }}{% endfor %} § 'loop.length' is not known
          """)
  void byName(String template, String problem) {
    assertThatThrownBy(() -> Chats.template(template.replace("\\\\", "\\")))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith("test.jinja: chat template, line 1, column ")
        .hasMessageContaining(problem.replace("\\\\", "\\"));
  }

  @Test
  void withLineColumnAndWhatIsKnown() {
    assertThatThrownBy(() -> Chats.template("a\r\n{# x #}\n  {{ messages|upper }}"))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "test.jinja: chat template, line 3, column 15: the filter 'upper' is not known; known"
                + " are selectattr, length, list, string, tojson, trim");
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "-", "not ", "x[", "a.", "1+", "x|trim|", "x==", "x and "})
  void thatIsTooDeep(String piece) {
    for (int times : new int[] {60, 400, 100_000}) {
      String source = "{{ " + piece.repeat(times) + " }}";
      assertThatThrownBy(
              () -> Chats.template(source.substring(0, Math.min(250_000, source.length()))))
          .isInstanceOf(ModelException.class);
    }
  }

  @Test
  void thatIsTooLongOrNestsTooManyTags() {
    assertThatThrownBy(() -> Chats.template("x".repeat(300_000)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("has 300000 characters, expected at most 262144");
    assertThatThrownBy(() -> Chats.template("{% if x %}".repeat(20_000)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tags are nested deeper than 50 levels");
    assertThatThrownBy(() -> Chats.template("{{ 1" + "+1".repeat(300) + " }}"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("the tag has more than 500 parts");
  }
}
