package io.sirocco.engine;

import io.sirocco.model.TokenRow;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * All of a row that its outcome depends on, so that rows with equal questions have equal outcomes.
 * Two are equal if their bytes are; the hash is cryptographic, because rows are untrusted and must
 * not be able to meet in it.
 */
final class Question {
  private final byte[] bytes;
  private final int hash;

  private Question(byte[] bytes) {
    this.bytes = bytes;
    try {
      this.hash = ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(bytes)).getInt();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** What the outcome depends on beside the row's tokens. */
  enum Draws {
    /** Nothing is drawn, or draws depend on the tokens. */
    BY_TOKENS,
    /** Random draws depend on the row's key, where it has one. */
    BY_KEY
  }

  static Question of(Intake.Accepted row, Draws draws) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      write(row, draws, out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Question(bytes.toByteArray());
  }

  /** Every list behind its length, so that no two questions have the same bytes. */
  private static void write(Intake.Accepted row, Draws draws, DataOutputStream out)
      throws IOException {
    // The outcome tells of the row before truncation, too.
    out.writeInt(row.tokenCount());
    out.writeBoolean(row.truncated());
    text(draws == Draws.BY_KEY ? row.key() : "", out);
    text(row.adapter(), out);
    TokenRow tokens = row.row();
    numbers(tokens.ids(), out);
    out.writeBoolean(tokens.attentionMask().isPresent());
    if (tokens.attentionMask().isPresent()) {
      numbers(tokens.attentionMask().get(), out);
    }
    out.writeInt(row.labels().labels().size());
    for (int label = 0; label < row.labels().labels().size(); label++) {
      text(row.labels().labels().get(label), out);
      out.writeInt(row.labels().steps().get(label).size());
      for (LabelTree.Step step : row.labels().steps().get(label)) {
        out.writeInt(step.after());
        out.writeInt(step.id());
      }
    }
  }

  private static void text(String text, DataOutputStream out) throws IOException {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_16BE);
    out.writeInt(encoded.length);
    out.write(encoded);
  }

  private static void numbers(int[] numbers, DataOutputStream out) throws IOException {
    ByteBuffer encoded = ByteBuffer.allocate(Math.multiplyExact(numbers.length, Integer.BYTES));
    encoded.asIntBuffer().put(numbers);
    out.writeInt(numbers.length);
    out.write(encoded.array());
  }

  /** Of heap. */
  long size() {
    return bytes.length;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Question question && Arrays.equals(bytes, question.bytes);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
