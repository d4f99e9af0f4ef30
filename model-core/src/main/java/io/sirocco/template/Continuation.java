package io.sirocco.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A prompt that ends within its last message, as transformers makes it: the message is marked at
 * its end, and the prompt cut at the mark. If the template trimmed the message, so is the prompt.
 *
 * @param messages the conversation, its last message marked
 * @param message the last message's own text
 */
record Continuation(Value.ListValue messages, Text message) {
  private static final String MARK = "CONTINUE_FINAL_MESSAGE_TAG";
  private static final String CONTENT = "content";
  private static final String TEXT = "text";

  /** Marks the last message, or the last text in it if its content is a list of parts. */
  static Continuation of(Value.ListValue messages, Run run) {
    List<Value> marked = new ArrayList<>(messages.elements());
    int last = marked.size() - 1;
    if (!(marked.get(last) instanceof Value.Dict message)) {
      throw run.badRequest("the final message is no object; there is nothing to continue");
    }
    Value content = message.entries().getOrDefault(CONTENT, new Value.None(Origin.REQUEST));
    if (content instanceof Text text) {
      marked.set(last, with(message, CONTENT, marked(text, run)));
      return new Continuation(new Value.ListValue(marked, Origin.REQUEST), text);
    }
    if (content instanceof Value.ListValue list) {
      List<Value> parts = new ArrayList<>(list.elements());
      for (int i = parts.size() - 1; i >= 0; i--) {
        if (parts.get(i) instanceof Value.Dict part
            && part.entries().get(TEXT) instanceof Text text) {
          parts.set(i, with(part, TEXT, marked(text, run)));
          Value.ListValue newContent = new Value.ListValue(parts, Origin.REQUEST);
          marked.set(last, with(message, CONTENT, newContent));
          return new Continuation(new Value.ListValue(marked, Origin.REQUEST), text);
        }
      }
    }
    throw run.badRequest("the final message has no text in \"content\" to continue");
  }

  /** {@code rendered} up to the mark. */
  Text cut(Text rendered, Run run) {
    run.charge(2L * rendered.length());
    String all = rendered.string();
    int at = all.lastIndexOf(MARK);
    String expected = PythonText.trim(message, run).string();
    int end = at < 0 ? 0 : PythonText.trimmedEnd(all.substring(0, at));
    if (at < 0 || !all.substring(0, end).endsWith(expected)) {
      throw run.badRequest(
          "the final message cannot be continued: the template does not write it as it is");
    }
    boolean kept = all.startsWith(MARK + " ", at);
    return rendered.slice(0, kept ? at : end);
  }

  private static Text marked(Text text, Run run) {
    return text.concat(Text.of(MARK + " ", Origin.REQUEST), run);
  }

  private static Value.Dict with(Value.Dict dict, String key, Value value) {
    Map<String, Value> entries = new LinkedHashMap<>(dict.entries());
    entries.put(key, value);
    return new Value.Dict(entries);
  }
}
