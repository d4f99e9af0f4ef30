package io.sirocco.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.checkpoint.ModelException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Patterns of module names, beside Java's, which agree with Python's on these. */
class ModulePatternTest {
  private static final long SEED = 20261126;

  private static final List<String> NAMES =
      List.of(
          "model.layers.0.self_attn.q_proj",
          "model.layers.1.self_attn.v_proj",
          "model.layers.12.mlp.gate_proj",
          "model.layers.31.mlp.down_proj",
          "layers.3.self_attn.o_proj",
          "lm_head",
          "score",
          "");

  private static boolean matches(String pattern, String name) {
    return ModulePattern.parse(pattern, "test").matches(text(name));
  }

  private static ModulePattern.Text text(String name) {
    return new ModulePattern.Text(name, new Steps("test"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ".*q_proj",
        ".*\\.(q_proj|v_proj)$",
        "^model\\.layers\\.\\d+\\.self_attn\\.[qkvo]_proj",
        "model\\.layers\\.(0|1|2)\\..*",
        ".*layers\\.[0-3]\\..*",
        ".*layers\\.1[0-9]\\.mlp\\.(gate|up|down)_proj",
        "(?!.*mlp).*proj",
        "(?=.*mlp).*proj",
        ".*layers\\.\\d{2}\\..*",
        ".*layers\\.\\d{1,}\\..*",
        "(model\\.)?layers\\.\\d{1,2}\\.\\w+\\.o_proj",
        "(?:.*\\.)?(?:q|v)_proj",
        ".*\\b(q_proj|score)\\b",
        "[^.]*",
        "[\\w.]+?_proj",
        "[a-z._\\d]*",
        "score|lm_head|",
        "\\w+\\Z",
        "\\A.+",
        "(a|ab)(c|bcd)(d*)",
        "s{1}c{0,1}o(r|re)e?",
        ".*\\.self\\_attn\\..{6}",
        "\\D*\\d\\D*",
        "\\S*",
        "()*score",
        "(|s)core",
        "((s?c?)*o)+re"
      })
  void agreesWithJavas(String pattern) {
    int matching = 0;
    for (String name : NAMES) {
      boolean wanted = Pattern.compile(pattern).matcher(name).matches();
      assertThat(matches(pattern, name)).as("%s on '%s'", pattern, name).isEqualTo(wanted);
      boolean suffix = Pattern.compile("(.*\\.)?(" + pattern + ")").matcher(name).matches();
      assertThat(ModulePattern.parse(pattern, "test").matchesSuffix(text(name)))
          .as("%s as a suffix of '%s'", pattern, name)
          .isEqualTo(suffix);
      matching += suffix ? 1 : 0;
    }
    assertThat(matching > 0 || pattern.startsWith("(a|"))
        .as("%s matches something", pattern)
        .isTrue();
  }

  @Test
  void agreesWithJavasOnRandomPatterns() {
    Random random = new Random(SEED);
    int matching = 0;
    for (int i = 0; i < 20_000; i++) {
      String pattern = random(random, 4);
      for (String name : List.of("", "a", "ab", "aab.b", "b.ab", "ababab")) {
        boolean wanted = Pattern.compile(pattern).matcher(name).matches();
        assertThat(matches(pattern, name))
            .as("%s on '%s', seed %d", pattern, name, SEED)
            .isEqualTo(wanted);
        matching += wanted ? 1 : 0;
      }
    }
    assertThat(matching).isGreaterThan(1000);
  }

  private static String random(Random random, int depth) {
    List<String> parts = new ArrayList<>();
    int count = 1 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      String atom =
          switch (random.nextInt(depth == 0 ? 5 : 8)) {
            case 0 -> "a";
            case 1 -> "b";
            case 2 -> ".";
            case 3 -> "[ab]";
            case 4 -> "\\.";
            case 5 -> "(" + random(random, depth - 1) + "|" + random(random, depth - 1) + ")";
            case 6 -> "(?=" + random(random, depth - 1) + ")";
            default -> "(?:" + random(random, depth - 1) + ")";
          };
      // Java's own answer is not Python's where a group may match nothing in a repetition.
      boolean repeats = !atom.startsWith("(");
      String repetition =
          switch (random.nextInt(8)) {
            case 0 -> "*";
            case 1 -> "+";
            case 2 -> "?";
            case 3 -> "{2}";
            case 4 -> "{1,2}";
            default -> "";
          };
      parts.add(repeats ? atom + repetition : atom);
    }
    return String.join("", parts);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(.*.*.*)*x",
        "((a*)*)*",
        "(((((((((((((((((((((.*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*x",
        "(|){1000}{1000}",
        "((((.{0,1000}){0,1000}){0,1000}){0,1000}){0,1000}x",
        "(((((){1000}){1000}){1000}){1000})x",
        "(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)x",
        "(?=(?=(?=(?=(?=(?=.*x)*.*)*.*)*.*)*.*)*.*)*x",
        "(((.*[^x]){1000}){1000}){1000}x",
        "(\\b*(.*\\B*)*){1000}{1000}x"
      })
  void noPatternHangs(String pattern) {
    Instant start = Instant.now();
    try {
      matches(pattern, "model.layers.31.self_attn.q_proj");
    } catch (ModelException e) {
      assertThat(e).hasMessageContaining("name the modules in a list");
    }
    assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(2));
  }

  /** Thousands of members cost no more than one, and nest nowhere. */
  @Test
  void largeClassesAreSets() {
    String members = "xyz!-~é€a-c".repeat(360);
    String name = "model.layers.31.self_attn.q_proj";
    Instant start = Instant.now();
    for (int i = 0; i < 100; i++) {
      assertThat(matches("([" + members + "_\\w.]*){1000}", name)).isTrue();
      assertThat(matches("([^" + members + "]*){1000}", name)).isFalse();
    }
    assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(2));
  }

  /** As ranks found by EVA have. */
  @Test
  void aPatternForEachModuleOfALargeModelIsWithinTheSteps() {
    List<String> modules = new ArrayList<>();
    for (int layer = 0; layer < 88; layer++) {
      for (String module : List.of("q", "k", "v", "o")) {
        modules.add("model.layers." + layer + ".self_attn." + module + "_proj");
      }
      for (String module : List.of("gate", "up", "down")) {
        modules.add("model.layers." + layer + ".mlp." + module + "_proj");
      }
    }
    List<ModulePattern> patterns =
        modules.stream().map(module -> ModulePattern.parse(module, "test")).toList();
    Steps steps = new Steps("test");
    for (int i = 0; i < modules.size(); i++) {
      ModulePattern.Text text = new ModulePattern.Text(modules.get(i), steps);
      int first = 0;
      while (!patterns.get(first).matchesSuffix(text)) {
        first++;
      }
      assertThat(first).isEqualTo(i);
      first = 0;
      while (!patterns.get(first).matchesSuffix(text)) {
        first++;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a",
        "a)",
        "[a",
        "*a",
        "a**",
        "a\\",
        "(?P<x>a)",
        "(?i)a",
        "(?<=a)b",
        "(a)\\1",
        "a{2000}",
        "a{3,2}",
        "[z-a]",
        "\\p{L}"
      })
  void whatIsNoPatternIsRefused(String pattern) {
    assertThatThrownBy(() -> ModulePattern.parse(pattern, "test"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("test: the pattern ");
    assertThatThrownBy(() -> ModulePattern.parse("(".repeat(100) + "a" + ")".repeat(100), "test"))
        .hasMessageContaining("nests deeper");
    assertThatThrownBy(() -> ModulePattern.parse("a".repeat(5000), "test"))
        .hasMessageContaining("characters");
  }
}
