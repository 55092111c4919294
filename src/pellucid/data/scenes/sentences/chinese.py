"""Chinese for scenes: measure words, numbers and relations."""

from collections.abc import Sequence

from pellucid.data.scenes.colours import COLOURS
from pellucid.data.scenes.sentences.statements import (
    ABOVE,
    BELOW,
    HIDDEN_BY,
    IN_FRONT,
    LEFT,
    RIGHT,
    Kind,
    Statement,
)

DIGITS = "零一二三四五六七八九"
SIDES = {LEFT: "左边", RIGHT: "右边", ABOVE: "上方", BELOW: "下方", IN_FRONT: "前面"}
USUAL = "个"  # the measure word where no other is known
MEASURES = {
    "件": "T恤 套头衫 外套 衬衫 乐器",
    "条": "裤子 连衣裙 鱼 热带鱼 河豚 鲨鱼 蛇",
    "只": "凉鞋 运动鞋 短靴 鞋 皮鞋 高跟鞋 长靴 登山靴 狗 贵宾犬 导盲犬 猫 鸟 鹰 鸭子 猫头鹰 鹦鹉 公鸡 企鹅"
    " 羊 鸡 兔子 老鼠 青蛙 蝴蝶",
    "匹": "马",
    "头": "牛 猪 大象",
    "辆": "汽车 轿车 越野车 警车 赛车 自行车 公共汽车 卡车 摩托车 出租车",
    "架": "飞机",
    "艘": "船 帆船 快艇 轮船 渡轮",
    "棵": "树 冷杉 橡树 棕榈 圣诞树",
    "朵": "花 郁金香 玫瑰 向日葵 雏菊 木槿 云 蘑菇",
    "把": "吉他 小号 小提琴 萨克斯 伞 雨伞 椅子 钥匙 剪刀 刀",
    "面": "鼓 旗",
    "串": "葡萄",
    "颗": "草莓 星",
    "根": "香蕉",
    "本": "书",
    "顶": "帽子",
    "座": "房子 山",
}
MEASURE = {noun: measure for measure, nouns in MEASURES.items() for noun in nouns.split()}


def say(statement: Statement, names: Sequence[str]) -> str:
    """A statement: "两个红色的包", "一个绿色的包左边有一只红色的运动鞋"."""
    subject = some(statement.subject, statement.count, names)
    if statement.other is None:
        return subject
    again = statement.other == statement.subject
    if statement.kind == HIDDEN_BY:
        other = some(statement.other, 1, names, again)
        return f"{subject}被{other}挡住了一部分"
    return f"{some(statement.other, 1, names)}{SIDES[statement.kind]}有{some(statement.subject, 1, names, again)}"


def some(kind: Kind, count: int, names: Sequence[str], again: bool = False) -> str:
    """A thing, or several: "一只红色的运动鞋"; "另一只" for one more of the same."""
    noun = names[kind.label]
    colour = f"{COLOURS[kind.colour].chinese}的" if kind.colour in COLOURS else ""
    return f"{'另' if again else ''}{number(count)}{MEASURE.get(noun, USUAL)}{colour}{noun}"


def listed(phrases: Sequence[str]) -> str:
    """Phrases in a row."""
    return "和".join(["、".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)


def number(count: int) -> str:
    """A number before a measure word, where two is 两: in words below a hundred."""
    if count == 2:
        return "两"
    if count >= 100:
        return str(count)
    tens, ones = divmod(count, 10)
    if not tens:
        return DIGITS[ones]
    return f"{DIGITS[tens] if tens > 1 else ''}十{DIGITS[ones] if ones else ''}"
