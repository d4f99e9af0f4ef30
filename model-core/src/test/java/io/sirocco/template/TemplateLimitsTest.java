package io.sirocco.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.template.TemplateException.Kind;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates that loop or explode are stopped by what they cost, in bounded time and memory. */
class TemplateLimitsTest {
  private static final Duration LONGEST = Duration.ofSeconds(1);

  /** Of this thread alone: the machine may be busy with other things. */
  private static final ThreadMXBean PROCESSOR = ManagementFactory.getThreadMXBean();

  private static final String START =
      "{% set ns = namespace(x='ab', l=messages, n=3) %}{% set ns.y = messages[0].content %}";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{{ 1 }}",
        "some text",
        "{% set ns.x = ns.x + ns.x %}",
        "{% set ns.x = ns.x + messages[0].content + 'b' %}",
        "{% set ns.l = ns.l + ns.l %}",
        "{% set ns.n = ns.n + ns.n %}",
        "{% set ns.n = ns.n + ns.n %}{{ ns.n }}",
        "{% if ns.l == messages + messages %}{% endif %}{% set ns.l = ns.l + ns.l %}",
        "{% set z = messages|string %}",
        "{% set z = messages|tojson %}",
        "{% set z = messages|list %}{% set z = z[1:] %}",
        "{% set z = messages|selectattr('role', 'equalto', 'user')|list %}",
        "{% set z = (ns.y + 'x')[1:]|trim|length %}",
        "{% set z = ns.y[-1] %}",
        "{% set z = messages[0].floats|string %}",
        "{% set z = messages[0].big|string %}",
        "{% set z = messages[0].big % 7 == 1e300 %}",
        "{% for c in ns.y %}{{ c }}{% endfor %}",
        "{% for k, v in messages[0].items() %}{{ zz }}{% endfor %}",
        "{% for m in messages if zz %}{% endfor %}",
      })
  void eightLoopsAround(String body) {
    String loops = "{% for m in messages %}".repeat(8) + body + "{% endfor %}".repeat(8);
    ChatTemplate template = Chats.template(START + loops);
    ChatRequest request = Chats.request(Collections.nCopies(100, heavyMessage()));
    long began = PROCESSOR.getCurrentThreadCpuTime();
    TemplateException error =
        catchThrowableOfType(TemplateException.class, () -> template.render(request));
    Duration took = Duration.ofNanos(PROCESSOR.getCurrentThreadCpuTime() - began);
    assertThat(error).isNotNull();
    assertThat(error.kind()).isEqualTo(Kind.LIMIT);
    assertThat(error).hasMessageContaining("line 1, column ");
    System.out.println(took.toMillis() + " ms: " + body);
    assertThat(took).isLessThan(LONGEST);
  }

  /** The limit counts work, not time: the same template stops at the same place, or not at all. */
  @Test
  void theWorkIsCounted() {
    String source = "{% for m in messages %}{{ m.content|trim + 'x' }}{% endfor %}";
    ChatRequest request = Chats.request(Collections.nCopies(50, Chats.message("user", "hello")));
    long enough = 1;
    while (fails(source, request, enough)) {
      enough++;
    }
    System.out.println("50 messages take " + enough + " units");
    assertThat(enough).isBetween(50L * 4 * Limits.NODE, 50L * 20 * Limits.NODE);
    assertThat(fails(source, request, enough - 1)).isTrue();
  }

  @Test
  void aLongConversationIsFarFromTheLimit() {
    String source =
        "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}"
            + "{{ '[INST] ' + m['content'] + '[/INST]' }}{% else %}"
            + "{{ ' ' + m['content']|trim + eos_token }}{% endif %}{% endfor %}";
    List<JsonNode> messages = Collections.nCopies(2000, Chats.message("user", "x".repeat(500)));
    assertThat(Chats.render(source, Chats.request(messages))).hasSize(3 + 2000 * 514);
    List<JsonNode> one = List.of(Chats.message("user", "x".repeat(2_000_000)));
    assertThat(Chats.render(source, Chats.request(one))).hasSize(3 + 2_000_014);
  }

  @Test
  void aTextMayNotBecomeTooLong() {
    ChatTemplate template =
        ChatTemplate.parse(
            "{{ messages[0].content }}x", Chats.TOKENS, "t", new Limits(1 << 20, 10));
    assertThat(template.render(Chats.user("123456789")).text()).isEqualTo("123456789x");
    assertThatThrownBy(() -> template.render(Chats.user("1234567890")))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("a text would become longer than 10 characters");
  }

  @Test
  void deeplyNestedRequestsAreRefusedAndShallowerOnesRender() {
    String source = "{{ messages[0]|tojson }}{{ messages }}{{ messages[0] == messages[1] }}";
    for (int depth : new int[] {101, 1000, 50_000}) {
      ChatRequest request = Chats.request(List.of(nested(depth), nested(depth)));
      assertThatThrownBy(() -> Chats.render(source, request))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining("the request is nested deeper than 100 levels");
    }
    ChatRequest tools =
        new ChatRequest(
            List.of(Chats.message("user", "x")),
            Optional.of(Chats.MAPPER.createArrayNode().add(nested(50_000))),
            PromptEnd.LAST_MESSAGE);
    assertThatThrownBy(() -> Chats.render("x", tools)).isInstanceOf(TemplateException.class);
    ChatRequest allowed = Chats.request(List.of(nested(97), nested(97)));
    assertThat(Chats.render(source, allowed)).endsWith("True");
  }

  @Test
  void aNumberMayNotHaveMoreDigitsThanPythonWrites() {
    ObjectNode message = Chats.MAPPER.createObjectNode();
    message.put("n", BigInteger.TEN.pow(5000));
    assertThatThrownBy(() -> Chats.render("x", Chats.request(List.of(message))))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("an integer has more than 4300 digits");
  }

  private static boolean fails(String source, ChatRequest request, long work) {
    ChatTemplate template =
        ChatTemplate.parse(source, Chats.TOKENS, "t", new Limits(work, 1 << 20));
    try {
      template.render(request);
      return false;
    } catch (TemplateException e) {
      assertThat(e.kind()).isEqualTo(Kind.LIMIT);
      return true;
    }
  }

  private static JsonNode heavyMessage() {
    ObjectNode message = Chats.MAPPER.createObjectNode();
    message.put("role", "user").put("content", "\u00e9\u0000\"\ud83d\ude00".repeat(200));
    message.put("big", BigInteger.TEN.pow(900));
    ArrayNode floats = message.putArray("floats");
    for (int i = 1; i <= 20; i++) {
      floats.add(1.1e-300 * i).add(0.1 * i);
    }
    return message;
  }

  private static JsonNode nested(int depth) {
    JsonNode node = Chats.MAPPER.createObjectNode();
    for (int i = 0; i < depth; i++) {
      node =
          i % 2 == 0
              ? Chats.MAPPER.createArrayNode().add(node)
              : Chats.MAPPER.createObjectNode().set("a", node);
    }
    return node;
  }
}
