"use strict";
// The page of `fmnist serve`. Names and answers are put in as text, never as markup.

const TEXTS = {
  en: {
    title: "Which garment is it?", lead: "Drop pictures here, or paste them.", choose: "Choose pictures",
    camera: "Take a photo", advice: "One garment on a plain background works best.",
    examples: "Or try one of the data set’s images", results: "Predictions", clear: "Clear",
    privacy: "Pictures are sent to this server only, and not kept.", api: "HTTP API",
    model: (m) => `${m.model}, ${m.classes.length} classes` + (m.parameters ? `, ${m.parameters.toLocaleString("en")} parameters` : ""),
    waiting: "Classifying …", given: (name) => `Your picture ${name}`, seen: "What the network saw",
    example: (name) => `Example: ${name}`, pasted: "pasted picture", photo: "Prepared as a photo", image: "Taken as it is",
    took: (how, server, total) => `${how}; ${server} ms on the server, ${total} ms in all`, failed: "This picture can’t be used",
    unreachable: "The server can’t be reached.", said: (name, best, share) => `${name}: ${best}, ${share}`,
  },
  zh: {
    title: "这是什么衣物？", lead: "把图片拖到这里，或直接粘贴。", choose: "选择图片", camera: "拍照",
    advice: "背景单一、只有一件衣物时效果最好。", examples: "也可以试试数据集里的图片", results: "预测结果",
    clear: "清空", privacy: "图片只会发送到这台服务器，不会被保存。", api: "HTTP 接口",
    model: (m) => `${m.model}，${m.classes.length} 个类别` + (m.parameters ? `，${m.parameters.toLocaleString("en")} 个参数` : ""),
    waiting: "正在识别……", given: (name) => `你的图片 ${name}`, seen: "模型看到的图像",
    example: (name) => `示例：${name}`, pasted: "粘贴的图片", photo: "按照片处理", image: "原样使用",
    took: (how, server, total) => `${how}；服务器用时 ${server} 毫秒，总共 ${total} 毫秒`, failed: "无法使用这张图片",
    unreachable: "无法连接服务器。", said: (name, best, share) => `${name}：${best}，${share}`,
  },
};
const CHINESE_CLASSES = {
  "T-shirt/top": "T 恤/上衣", Trouser: "裤子", Pullover: "套头衫", Dress: "连衣裙", Coat: "外套",
  Sandal: "凉鞋", Shirt: "衬衫", Sneaker: "运动鞋", Bag: "包", "Ankle boot": "短靴",
};
const AT_ONCE = 4;
const SHOWN_CLASSES = 3;

const isChinese = navigator.language.toLowerCase().startsWith("zh");
const texts = TEXTS[isChinese ? "zh" : "en"];
const nameOf = (name) => (isChinese && CHINESE_CLASSES[name]) || name;
const percent = (share) => `${(100 * share).toFixed(1)}%`;
const find = (selector, root = document) => root.querySelector(selector);

function translate() {
  document.documentElement.lang = isChinese ? "zh-CN" : "en";
  document.title = `fmnist: ${texts.title}`;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = texts[element.dataset.text];
  }
}

const queue = [];
let running = 0;

function add(files, pasted = false) {
  const cards = [];
  for (const file of files) {
    const card = find("#card").content.firstElementChild.cloneNode(true);
    const name = pasted ? texts.pasted : file.name;
    card.classList.add("waiting");
    find(".name", card).textContent = name;
    find(".best", card).textContent = texts.waiting;
    const image = find(".given img", card);
    image.alt = texts.given(name);
    image.addEventListener("error", () => find(".given", card).classList.add("broken"));
    image.addEventListener("load", () => {
      image.classList.toggle("tiny", image.naturalWidth <= 64);
      URL.revokeObjectURL(image.src);
    });
    image.src = URL.createObjectURL(file);
    cards.push(card);
    queue.push({ card, file, name });
  }
  find(".results").prepend(...cards); // the newest first
  find("#results").hidden = !find(".results").childElementCount;
  if (cards.length) find("#results").scrollIntoView({ block: "nearest" });
  next();
}

function next() {
  while (running < AT_ONCE && queue.length) {
    running += 1;
    classify(queue.shift()).finally(() => { running -= 1; next(); });
  }
}

async function classify({ card, file, name }) {
  const startedAt = performance.now();
  try {
    const response = await fetch(`predict?seen=true&top_k=${SHOWN_CLASSES}`, {
      method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" },
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    const server = /dur=([\d.]+)/.exec(response.headers.get("Server-Timing"));
    show(card, name, answer.predictions[0], Number(server?.[1] ?? 0), performance.now() - startedAt);
  } catch (error) {
    fail(card, name, error instanceof TypeError ? texts.unreachable : error.message);
  }
}

function show(card, name, prediction, server, total) {
  card.classList.remove("waiting");
  find(".best", card).textContent = nameOf(prediction.class);
  for (const one of prediction.top) {
    const row = document.createElement("li");
    const label = document.createElement("span");
    const share = document.createElement("span");
    const bar = document.createElement("meter");
    label.textContent = nameOf(one.class);
    share.textContent = percent(one.probability);
    bar.value = one.probability;
    bar.setAttribute("aria-hidden", "true"); // the number beside it says the same
    row.append(label, share, bar);
    find(".bars", card).append(row);
  }
  const seen = find(".seen", card);
  find("img", seen).src = `data:image/png;base64,${prediction.seen}`;
  find("img", seen).alt = texts.seen;
  find("figcaption", seen).textContent = texts.seen;
  seen.hidden = false;
  const how = prediction.photo ? texts.photo : texts.image;
  find(".note", card).textContent = texts.took(how, server.toFixed(server < 10 ? 1 : 0), total.toFixed(0));
  say(texts.said(name, nameOf(prediction.class), percent(prediction.probability)));
}

function fail(card, name, reason) {
  card.classList.replace("waiting", "failed");
  find(".best", card).textContent = texts.failed;
  find(".note", card).textContent = reason.replace(/^the picture can't be used: /, "");
  say(`${name}: ${reason}`);
}

function say(sentence) {
  find("#status").textContent = sentence;
}

async function describe() {
  const model = await (await fetch("model")).json();
  find("#model").textContent = texts.model(model);
  for (const [number, name] of model.examples.entries()) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const image = document.createElement("img");
    image.src = `examples/${number}.png`;
    image.alt = texts.example(nameOf(name));
    button.type = "button";
    button.append(image);
    button.addEventListener("click", async () => {
      const content = await (await fetch(image.src)).blob();
      add([new File([content], texts.example(nameOf(name)))]);
    });
    item.append(button);
    find(".examples").append(item);
  }
  find("#examples").hidden = !model.examples.length;
}

function listen() {
  for (const id of ["choose", "camera"]) {
    find(`#${id}`).addEventListener("change", (event) => {
      add(event.target.files);
      event.target.value = ""; // so that the same file can be chosen again
    });
  }
  find("#clear").addEventListener("click", () => {
    queue.length = 0;
    find(".results").replaceChildren();
    find("#results").hidden = true;
    find("#choose").focus();
  });
  addEventListener("paste", (event) => add(event.clipboardData.files, true));
  let depth = 0; // a drag enters and leaves every element that it passes over
  const mark = (change) => { depth = change && depth + change; find("#drop").classList.toggle("over", depth > 0); };
  addEventListener("dragenter", () => mark(1));
  addEventListener("dragleave", () => mark(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => { event.preventDefault(); mark(0); add(event.dataTransfer.files); });
}

translate();
listen();
describe();
