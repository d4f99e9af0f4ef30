package io.sirocco.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes a state dictionary as {@code torch.save} does. */
public final class TorchSave {
  private static final String ROOT = "archive";

  private final ByteArrayOutputStream pickle = new ByteArrayOutputStream();
  private final Map<String, byte[]> storages = new LinkedHashMap<>();

  /** An empty dictionary. */
  public TorchSave() {
    raw(0x80, 2, '}', '(');
  }

  /** A storage of float32; its key. */
  String storage(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    String key = String.valueOf(storages.size());
    storages.put(key, bytes.array());
    return key;
  }

  /** A tensor of these bytes, which lie in order. */
  public TorchSave withBytes(String name, String type, byte[] bytes, int... shape) {
    storages.put(String.valueOf(storages.size()), bytes);
    return inOrder(name, type, String.valueOf(storages.size() - 1), shape);
  }

  /** As above, where somebody else writes the storage, of that number, into the archive. */
  public TorchSave withStorageElsewhere(String name, String type, int number, int... shape) {
    return inOrder(name, type, String.valueOf(number), shape);
  }

  private TorchSave inOrder(String name, String type, String key, int... shape) {
    int[] strides = new int[shape.length];
    int stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return with(name, "torch\n" + type + "Storage\n", key, stride, 0, shape, strides);
  }

  /** A tensor that is a view of a storage. */
  TorchSave with(String name, String storage, int offset, int[] shape, int[] strides) {
    int elements = storages.getOrDefault(storage, new byte[0]).length / Float.BYTES;
    return with(name, "torch\nFloatStorage\n", storage, elements, offset, shape, strides);
  }

  TorchSave with(
      String name,
      String type,
      String storage,
      int elements,
      int offset,
      int[] shape,
      int[] strides) {
    text(name);
    call("torch._utils\n_rebuild_tensor_v2\n");
    raw('(', '(');
    text("storage");
    call(type);
    text(storage);
    text("cpu");
    number(elements);
    raw('t', 'Q');
    number(offset);
    numbers(shape);
    numbers(strides);
    raw(0x89);
    call("collections\nOrderedDict\n");
    raw(')', 'R', 't', 'R');
    return this;
  }

  /** The next value of the dictionary, as a pickle has it. */
  TorchSave withPickled(String name, String instructions) {
    text(name);
    pickle.writeBytes(instructions.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  private void numbers(int... values) {
    raw('(');
    for (int value : values) {
      number(value);
    }
    raw('t');
  }

  private void call(String global) {
    raw('c');
    pickle.writeBytes(global.getBytes(StandardCharsets.UTF_8));
  }

  private void text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    raw('X');
    pickle.writeBytes(little(bytes.length));
    pickle.writeBytes(bytes);
  }

  private void number(int value) {
    raw('J');
    pickle.writeBytes(little(value));
  }

  private static byte[] little(int value) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private void raw(int... instructions) {
    for (int instruction : instructions) {
      pickle.write(instruction);
    }
  }

  /** Writes the file. */
  public void write(Path file) throws IOException {
    Files.write(file, bytes());
  }

  /** The whole file. */
  public byte[] bytes() throws IOException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(file)) {
      add(zip, "data.pkl", pickle());
      add(zip, "byteorder", "little".getBytes(StandardCharsets.US_ASCII));
      for (Map.Entry<String, byte[]> storage : storages.entrySet()) {
        add(zip, "data/" + storage.getKey(), storage.getValue());
      }
    }
    return file.toByteArray();
  }

  /** The pickle alone. */
  public byte[] pickle() {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    whole.writeBytes(pickle.toByteArray());
    whole.write('u');
    whole.write('.');
    return whole.toByteArray();
  }

  private static void add(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    ZipEntry entry = new ZipEntry(ROOT + "/" + name);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
